"""What the agents say: sentences of operations work, filled in from a seeded generator.

data/topics.json: for each kind of work its notes, what was learned, what failed, questions, and
what an agent may be about to do: harmless, or about to repeat the failure.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

__all__ = ["Topic", "fill", "topics"]

_SERVICES = (
    "orders", "billing", "search", "checkout", "inventory", "identity", "ledger", "shipping",
    "catalog", "payments", "sessions", "reports",
)  # fmt: skip
_PLACES = ("eu-west", "us-east", "ap-south", "staging", "canary", "the primary region")


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of work; every field but the name holds templates."""

    name: str
    notes: tuple[str, ...]
    learned: tuple[str, ...]
    failed: tuple[str, ...]
    questions: tuple[str, ...]
    harmless: tuple[str, ...]
    risky: tuple[str, ...]


@cache
def topics() -> tuple[Topic, ...]:
    """Return every kind of work."""
    raw = (files(__package__) / "data" / "topics.json").read_text(encoding="utf-8")
    return tuple(
        Topic(one.pop("name"), **{part: tuple(sentences) for part, sentences in one.items()})
        for one in json.loads(raw)
    )


def fill(templates: tuple[str, ...], random: Random) -> str:
    """Return one of the sentences with a service, a place and numbers put in."""
    return random.choice(templates).format(
        service=random.choice(_SERVICES),
        place=random.choice(_PLACES),
        minutes=random.randrange(2, 90),
        ticket=random.randrange(1000, 10_000),
    )
