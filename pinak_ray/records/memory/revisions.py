"""A revision: what is now said instead of an earlier memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import Field

from pinak_ray.records.answer_size import fitting
from pinak_ray.records.fields import Ids
from pinak_ray.records.limits import check_id
from pinak_ray.records.memory.memories import Layer, Memory, Outcome, keyed, new_memory
from pinak_ray.records.results import Result
from pinak_ray.records.wiring import Operation, Place, wired

__all__ = [
    "MAX_VERSIONS",
    "FoundMemories",
    "Get",
    "History",
    "Revision",
    "StoredMemory",
    "Version",
    "found_memories",
    "new_revision",
]

MAX_VERSIONS = 100

# What a revision takes over unless it says otherwise, by the argument that says so.
_TAKEN_OVER = {
    name: "expires_at" if name == "ttl_s" else name
    for name in (
        "layer", "session", "details", "tags", "entities", "outcome", "salience", "occurred_at",
        "ttl_s", "source",
    )
}  # fmt: skip


class Revision(NamedTuple):
    """A memory that takes the place of another one."""

    memory_id: UUID
    """The memory that it supersedes."""
    memory: Memory
    given: frozenset[str] = frozenset()
    """The arguments that the caller gave; all else is taken over."""

    def over(self, old: Memory) -> Memory:
        """Return the memory to be stored: what was not given is as in the old one."""
        kept = {
            column: getattr(old, column)
            for argument, column in _TAKEN_OVER.items()
            if argument not in self.given
        }
        return self.memory._replace(**kept)


def new_revision(
    namespace_id: int,
    agent: str,
    memory_id: UUID | str,
    content: str,
    *,
    vector: bytes | None = None,
    idempotency_key: str | None = None,
    made: UUID | None = None,
    **fields: Any,
) -> Revision:
    """Return a checked Revision; raises InvalidInput.

    `fields` are new_memory's; what is None or not given stays as it was.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    memory = new_memory(namespace_id, agent, content, vector=vector, made=made, **given)
    superseded = check_id("memory_id", memory_id)
    if idempotency_key is not None:
        memory = keyed(memory, idempotency_key, "revise", str(superseded), *sorted(given))
    return Revision(superseded, memory, frozenset(given))


@dataclass(frozen=True, slots=True)
class StoredMemory(Result):
    """One memory as it is stored, and what superseded it."""

    id: UUID
    agent: str
    layer: Layer
    content: str
    session: str | None
    details: dict[str, Any]
    tags: tuple[str, ...]
    entities: tuple[str, ...]
    outcome: Outcome | None
    salience: float
    occurred_at: datetime
    created_at: datetime
    expires_at: datetime | None
    source: str | None
    written_by: str | None
    """The token's subject that stored it for the agent; None: the agent itself."""
    superseded_by: UUID | None
    superseded_at: datetime | None


class Version(NamedTuple):
    """A memory as it is stored, and what became of it."""

    memory: Memory
    superseded_by: UUID | None
    superseded_at: datetime | None

    @property
    def shown(self) -> StoredMemory:
        """What a reader is told of it."""
        kept = {one.name: getattr(self.memory, one.name, None) for one in fields(StoredMemory)}
        return StoredMemory(
            **{
                **kept,
                "details": orjson.loads(self.memory.details),
                "superseded_by": self.superseded_by,
                "superseded_at": self.superseded_at,
            }
        )


class History(NamedTuple):
    """A memory, and a page of all that superseded one another around it, itself too."""

    memory: Version
    versions: tuple[Version, ...]
    """Oldest first; the newest, or the newest before the one that was named."""
    before: UUID | None
    """The oldest on the page, where there are older ones: they come before it."""


@dataclass(frozen=True, slots=True)
class FoundMemories(Result):
    """Memories that were asked for by their ids, in that order."""

    memories: tuple[StoredMemory, ...]
    missing: tuple[UUID, ...]
    """Ids that this namespace does not have (any more)."""
    left_out: tuple[UUID, ...]
    """Ids of memories that one answer does not hold (some 4 MiB): ask for these again."""


@wired(Place.SEARCH, "POST /v1/memories/get", tag="memories")
class Get(Operation[FoundMemories], frozen=True):
    """Read memories by their ids, whoever stored them; superseded ones too."""

    namespace_id: int
    memory_ids: Annotated[Ids, Field(description="At most 200 ids.")]


def found_memories(ids: Sequence[UUID], found: Iterable[Version]) -> FoundMemories:
    """Return what was found of these ids, as far as one answer holds it."""
    by_id = {version.memory.id: version for version in found}
    there = [by_id[each] for each in ids if each in by_id]
    sizes = (len(one.memory.content) * 4 + len(one.memory.details) for one in there)
    shown = [one.shown for one in there[: fitting(sizes)]]
    return FoundMemories(
        tuple(shown),
        tuple(each for each in ids if each not in by_id),
        tuple(one.memory.id for one in there[len(shown) :]),
    )
