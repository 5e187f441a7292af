"""What the agents live through: published outages, and actions that may repeat them.

data/failures.json: 96 incidents, one sentence each, with its public source.
data/intents.json: every second risky and every fifth harmless intent of a labelled set, so the
gate is shown as it is and not at its best; `relevant` names the incidents that bear on an intent.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

__all__ = ["AGENTS", "Incident", "Intention", "agent_name", "incidents", "intentions", "share"]

AGENTS = 24


@dataclass(frozen=True, slots=True)
class Incident:
    """One published outage."""

    id: str
    category: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Intention:
    """One action that an agent will attempt, and the incidents that it would repeat."""

    id: str
    text: str
    risky: bool
    relevant: tuple[str, ...]


def agent_name(index: int) -> str:
    """Return the name of the index-th agent."""
    return f"demo-{index:02d}"


def incidents() -> list[Incident]:
    """Return all incidents."""
    return [
        Incident(raw["id"], raw["category"], raw["text"], raw["source"])
        for raw in _read("failures.json")
    ]


def intentions() -> list[Intention]:
    """Return all intentions, risky and harmless mixed."""
    return [
        Intention(raw["id"], raw["text"], raw["risky"], tuple(raw["relevant"]))
        for raw in _read("intents.json")
    ]


def share(things: list[Any], agent: int) -> list[Any]:
    """Return this agent's share; the same in every run, so that ids repeat."""
    return things[agent::AGENTS]


def _read(name: str) -> list[dict[str, Any]]:
    text = (files(__package__) / "data" / name).read_text(encoding="utf-8")
    records: list[dict[str, Any]] = json.loads(text)
    return records
