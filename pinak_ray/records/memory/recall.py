"""A recall: what is asked, what comes back, and the trace that explains it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

import orjson

from pinak_ray.records.cursor import Place, cursor_at, place_at, verified
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_K,
    check_depth,
    check_labels,
    check_name,
    check_number,
    check_text,
    check_whole,
)
from pinak_ray.records.memory.asker import asked_at, zone_named
from pinak_ray.records.memory.memories import Layer, Outcome, layers_named, moment, outcome_named
from pinak_ray.records.results import Result

__all__ = [
    "LEAST_BESIDE",
    "LEAST_RELEVANT",
    "MAX_QUERY_BYTES",
    "MAX_RRF_K",
    "Filters",
    "Hit",
    "RecallRequest",
    "RecallResult",
    "Signal",
    "Trace",
    "new_filters",
    "new_recall",
]

MAX_QUERY_BYTES = 8_192
# Far beyond it 1 / (k + rank) no longer tells ranks apart.
MAX_RRF_K = 1_000
# Where nobody chose a floor: see docs/decisions/0052.
LEAST_RELEVANT = 0.05
"""A context says nothing of memories where not even the best is as relevant."""
LEAST_BESIDE = 0.01
"""Behind one that is, what is as relevant as this is worth saying too."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which memories may answer; an empty tuple or None means any."""

    layers: tuple[Layer, ...] = ()
    agents: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Every one of these tags must be on the memory."""
    any_tags: tuple[str, ...] = ()
    """At least one of these tags must be on it."""
    no_tags: tuple[str, ...] = ()
    """None of these tags may be on it."""
    entities: tuple[str, ...] = ()
    """It must be about every one of these."""
    outcome: Outcome | None = None
    since: datetime | None = None
    """Inclusive, against `occurred_at`."""
    until: datetime | None = None
    """Exclusive, against `occurred_at`."""
    as_of: datetime | None = None
    """What was believed then: stored by then, and then neither superseded nor expired."""


@dataclass(frozen=True, slots=True)
class RecallRequest:
    """One question to a namespace's memories."""

    query: str
    """Empty where none was given: some recipes need none."""
    k: int = 10
    recipe: str = "default"
    filters: Filters = field(default_factory=Filters)
    min_score: float | None = None
    trace: bool = False
    vector: bytes | None = None
    """The query's own vector in halfvec form, or None to embed `query`."""
    rrf_k: int | None = None
    """The constant of reciprocal rank fusion, or None for the recipe's own."""
    cursor: str | None = None
    """The last page's, for the next one; None for the first."""
    expand: int = 0
    """How many links away from its hits a page also brings memories, behind the hits."""
    min_relevance: float | None = None
    now: datetime | None = None
    """The asker's day, as its noon in UTC; None for the day on which this is answered."""
    zone: str | None = None
    """The asker's, by name or offset; None for the namespace's."""
    every_copy: bool = False
    """Whether memories of one content are a hit each."""
    rerank: bool | None = None
    """Whether the first hits are put in the order of a reranker; None: as the stack has it."""

    def asked_at(self, clock: datetime, zone: tzinfo) -> datetime:
        """Return the asker's moment in their zone; `clock` and `zone` stand for what is unsaid."""
        moment = clock if self.now is None else self.now
        return moment.astimezone(zone if self.zone is None else zone_named(self.zone))

    @property
    def depth(self) -> int:
        """How many hits the first page wanted: later ones walk the same candidates."""
        return self.k if self.cursor is None else place_at(self.cursor).depth

    @property
    def offset(self) -> int:
        """How many hits earlier pages returned."""
        return 0 if self.cursor is None else place_at(self.cursor).offset

    def cursor_to(self, offset: int) -> str:
        """Return the cursor of the page that begins after so many hits."""
        return cursor_at(Place(offset, self.depth), self.shape)

    @property
    def shape(self) -> bytes:
        """All that shapes the ranking; neither the page's size nor the trace does."""
        names = [one.name for one in fields(self) if one.name not in ("k", "trace", "cursor")]
        return orjson.dumps([getattr(self, name) for name in names], default=bytes.hex)


@dataclass(frozen=True, slots=True)
class Signal(Result):
    """What one signal said of one hit.

    Its raw score and its rank among all candidates (1 is best), None where it has none; its weight
    and its contribution: hits are ordered by the sum of theirs.
    """

    name: str
    score: float | None
    rank: int | None
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Hit(Result):
    """One memory that answers, best first.

    `relevance` is how likely it does, in [0, 1], the same in every corpus; None where nothing was
    compared. The `score` of a recipe that fuses signals is its relevance; any other's is its
    signal's, comparable within one result only.
    """

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
    copies: int = 1
    """How many memories say exactly this, the hit among them; `every_copy` shows each."""
    relevance: float | None = None
    fused: float | None = None
    """Where a trace was asked for: the sum of the contributions, which hits are ordered by."""


@dataclass(frozen=True, slots=True)
class Trace(Result):
    """How a result came to be."""

    recipe: str
    fusion: str
    weights: dict[str, float]
    """By signal; what is added unfused is among them."""
    candidates: dict[str, int]
    """How many memories each signal brought."""
    fused: int
    """How many different ones these were."""
    kept: int
    """How many of them had evidence and reached both floors: the hits of all pages."""
    min_score: float | None
    timings_ms: dict[str, float]
    """Wall clock, by step."""
    rrf_k: int | None = None
    """Where the fusion is `rrf`."""
    min_relevance: float | None = None


@dataclass(frozen=True, slots=True)
class RecallResult(Result):
    """The hits of one recall, best first, and the trace when it was asked for.

    `cursor` asks for the next page; None: there is none. A page of long memories ends before its k
    are full, at some 4 MiB. `degraded` says why the answer is by words alone, though the recipe
    compares meanings too, or not reranked; None: it is whole.
    """

    hits: tuple[Hit, ...]
    trace: Trace | None = None
    cursor: str | None = None
    degraded: str | None = None


def new_recall(
    query: str | None = None,
    *,
    k: int = 10,
    recipe: str = "default",
    rrf_k: int | None = None,
    min_score: float | None = None,
    trace: bool = False,
    vector: bytes | None = None,
    cursor: str | None = None,
    expand: int = 0,
    min_relevance: float | None = None,
    now: datetime | str | None = None,
    zone: str | tzinfo | None = None,
    every_copy: bool = False,
    rerank: bool | None = None,
    **filters: Any,
) -> RecallRequest:
    """Return a checked RecallRequest, with new_filters' arguments; raises InvalidInput."""
    day, zone_name = asked_at(now, zone)
    request = RecallRequest(
        "" if query is None else check_text("query", query, limit=MAX_QUERY_BYTES),
        check_whole("k", k, low=1, high=MAX_K),
        check_name("recipe", recipe),
        new_filters(**filters),
        None if min_score is None else check_number("min_score", min_score, low=-1e6, high=1e6),
        trace,
        vector,
        None if rrf_k is None else check_whole("rrf_k", rrf_k, low=1, high=MAX_RRF_K),
        expand=check_depth("expand", expand, low=0),
        min_relevance=None
        if min_relevance is None
        else check_number("min_relevance", min_relevance, low=0.0, high=1.0),
        now=day,
        zone=zone_name,
        every_copy=every_copy,
        rerank=rerank,
    )
    if cursor is None:
        return request
    return replace(request, cursor=verified(cursor, request.shape))


def new_filters(
    *,
    layers: Iterable[Layer | str] = (),
    agents: Iterable[str] = (),
    sessions: Iterable[str] = (),
    tags: Iterable[str] = (),
    any_tags: Iterable[str] = (),
    no_tags: Iterable[str] = (),
    entities: Iterable[str] = (),
    outcome: Outcome | str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    as_of: datetime | str | None = None,
) -> Filters:
    """Return checked Filters; raises InvalidInput."""
    if isinstance(layers, str):
        layers = (layers,)
    filters = Filters(
        layers=layers_named(tuple(layers)),
        agents=check_labels("agents", agents),
        sessions=check_labels("sessions", sessions),
        tags=check_labels("tags", tags),
        any_tags=check_labels("any_tags", any_tags),
        no_tags=check_labels("no_tags", no_tags),
        entities=check_labels("entities", entities),
        outcome=None if outcome is None else outcome_named(outcome),
        since=None if since is None else moment("since", since),
        until=None if until is None else moment("until", until),
        as_of=None if as_of is None else moment("as_of", as_of),
    )
    if filters.since and filters.until and filters.since >= filters.until:
        raise InvalidInput("since must lie before until")
    if filters.as_of and filters.as_of > datetime.now(UTC):
        raise InvalidInput("as_of lies in the future; leave it away to ask what holds now")
    return filters
