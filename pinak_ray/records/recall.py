"""A recall: what is asked, what comes back, and the trace that explains it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import MAX_K, check_labels, check_number, check_text
from pinak_ray.records.memories import Layer, Outcome, layers_named, moment, outcome_named

__all__ = ["Filters", "Hit", "RecallRequest", "RecallResult", "Signal", "Trace", "new_recall"]

MAX_QUERY_BYTES = 8_192


@dataclass(frozen=True, slots=True)
class Filters:
    """Which memories may answer; an empty tuple or None means any."""

    layers: tuple[Layer, ...] = ()
    agents: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Every one of these tags must be on the memory."""
    outcome: Outcome | None = None
    since: datetime | None = None
    """Inclusive, against `occurred_at`."""
    until: datetime | None = None
    """Exclusive, against `occurred_at`."""


@dataclass(frozen=True, slots=True)
class RecallRequest:
    """One question to a namespace's memories."""

    query: str
    k: int = 10
    recipe: str = "default"
    filters: Filters = field(default_factory=Filters)
    min_score: float | None = None
    trace: bool = False
    vector: bytes | None = None
    """The query's own vector in halfvec form, or None to embed `query`."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What one signal said of one hit: its raw score, and its rank (1 is best)."""

    name: str
    score: float | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """One memory that answers, best first. `score` is comparable within one result only."""

    id: UUID
    content: str
    score: float
    layer: Layer
    agent: str
    session: str | None
    tags: tuple[str, ...]
    outcome: Outcome | None
    occurred_at: datetime
    created_at: datetime
    details: dict[str, Any]
    source: str | None = None
    signals: tuple[Signal, ...] = ()
    """Filled when a trace was asked for."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How a result came to be: the recipe, its weights, candidates per signal, milliseconds."""

    recipe: str
    weights: dict[str, float]
    candidates: dict[str, int]
    timings_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class RecallResult:
    """The hits of one recall, best first, and the trace when it was asked for."""

    hits: tuple[Hit, ...]
    trace: Trace | None = None


def new_recall(
    query: str,
    *,
    k: int = 10,
    recipe: str = "default",
    layers: Iterable[Layer | str] = (),
    agents: Iterable[str] = (),
    sessions: Iterable[str] = (),
    tags: Iterable[str] = (),
    outcome: Outcome | str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    min_score: float | None = None,
    trace: bool = False,
    vector: bytes | None = None,
) -> RecallRequest:
    """Return a checked RecallRequest; raises InvalidInput (also for an absurd `k`)."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise InvalidInput(f"k is {k!r}, it must be a whole number from 1 to {MAX_K}")
    if isinstance(layers, str):
        layers = (layers,)
    filters = Filters(
        layers=layers_named(tuple(layers)),
        agents=check_labels("agents", agents),
        sessions=check_labels("sessions", sessions),
        tags=check_labels("tags", tags),
        outcome=None if outcome is None else outcome_named(outcome),
        since=None if since is None else moment("since", since),
        until=None if until is None else moment("until", until),
    )
    if filters.since and filters.until and filters.since >= filters.until:
        raise InvalidInput("since must lie before until")
    return RecallRequest(
        check_text("query", query, limit=MAX_QUERY_BYTES),
        k,
        recipe,
        filters,
        None if min_score is None else check_number("min_score", min_score, low=-1e6, high=1e6),
        trace,
        vector,
    )
