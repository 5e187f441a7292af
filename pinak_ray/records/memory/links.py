"""Links between memories: their kinds, a change to one, and what is found along them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from uuid import UUID

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import id_from_key
from pinak_ray.records.limits import (
    MAX_K,
    check_depth,
    check_id,
    check_name,
    check_number,
    check_whole,
    named,
)
from pinak_ray.records.memory.recall import Hit
from pinak_ray.records.results import Result

__all__ = [
    "FRONTIER",
    "LEAST_COSINE",
    "LINKS_EACH",
    "MIN_STRENGTH",
    "SIMILAR",
    "Link",
    "LinkChange",
    "LinkKey",
    "LinkKind",
    "Related",
    "RelatedRequest",
    "change_link",
    "new_related",
]

# A link this weak says nothing, and products of strengths must stay above zero.
MIN_STRENGTH = 0.001
# How many similar memories one is linked to, and from which cosine on.
SIMILAR = 3
LEAST_COSINE = 0.7
# The strongest links of one memory that a step looks at, each way, and the strongest memories that
# it leads to: as many as a caller can ask for.
LINKS_EACH = MAX_K
FRONTIER = MAX_K


class LinkKind(StrEnum):
    """What one memory is to another, read from the first to the second."""

    SIMILAR = "similar"
    """Of like meaning: has no direction. The Indexer makes these."""
    CAUSED_BY = "caused_by"
    FIXES = "fixes"
    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    FOLLOWS = "follows"
    REFERS_TO = "refers_to"
    DERIVED_FROM = "derived_from"
    ANSWERS = "answers"


LinkKey: TypeAlias = tuple[int, UUID, UUID, str]
"""A link's primary key: namespace, from, to, kind."""


class LinkChange(NamedTuple):
    """One link to be made, or (`strength` None) to be removed. Between two memories there is at
    most one link of a kind."""

    namespace_id: int
    from_id: UUID
    to_id: UUID
    kind: LinkKind
    strength: float | None
    """Above 0, at most 1."""
    author: str

    @property
    def key(self) -> LinkKey:
        """The link's primary key."""
        return self.namespace_id, self.from_id, self.to_id, self.kind.value

    @property
    def id(self) -> UUID:
        """The id that a receipt names this link by."""
        return id_from_key(self.namespace_id, "link", f"{self.from_id}/{self.to_id}/{self.kind}")


@dataclass(frozen=True, slots=True)
class Link(Result):
    """One link as it is stored; without an author the Indexer found it."""

    from_id: UUID
    to_id: UUID
    kind: LinkKind
    strength: float
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Related(Result):
    """One memory that links lead to.

    `strength` is the product of the strengths along the strongest of the shortest paths, `depth`
    how many links that path has, and `link` the last of them. The hit's score is the strength.
    """

    hit: Hit
    strength: float
    depth: int
    link: Link


class RelatedRequest(NamedTuple):
    """What is asked about the memories around one memory."""

    memory_id: UUID
    depth: int = 1
    min_strength: float = 0.0
    kinds: tuple[LinkKind, ...] = ()
    """Links of these kinds are followed; none named: all are."""
    k: int = 20


def change_link(
    namespace_id: int,
    author: str,
    from_id: UUID | str,
    to_id: UUID | str,
    kind: LinkKind | str,
    strength: float | None,
) -> LinkChange:
    """Return a checked change of a link; raises InvalidInput, also for a link to itself."""
    start, end = check_id("from_id", from_id), check_id("to_id", to_id)
    if start == end:
        raise InvalidInput("a memory cannot be linked to itself")
    wanted = named(LinkKind, "kind of link", kind)
    if wanted is LinkKind.SIMILAR and start < end:
        start, end = end, start  # no direction: one form, so that there is one link
    if strength is not None:
        strength = check_number("strength", strength, low=MIN_STRENGTH, high=1.0)
    return LinkChange(namespace_id, start, end, wanted, strength, check_name("agent", author))


def new_related(
    memory_id: UUID | str,
    *,
    depth: int = 1,
    min_strength: float = 0.0,
    kinds: Iterable[LinkKind | str] = (),
    k: int = 20,
) -> RelatedRequest:
    """Return a checked RelatedRequest; raises InvalidInput."""
    if isinstance(kinds, str):
        kinds = (kinds,)
    return RelatedRequest(
        check_id("memory_id", memory_id),
        check_depth("depth", depth, low=1),
        check_number("min_strength", min_strength, low=0.0, high=1.0),
        tuple(named(LinkKind, "kind of link", kind) for kind in kinds),
        check_whole("k", k, low=1, high=MAX_K),
    )
