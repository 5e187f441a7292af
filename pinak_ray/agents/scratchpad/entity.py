"""One entity: its names, and facts that each say under which of them they were learned.

So a merge only puts two lists together, and a split takes apart again by name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

from pinak_ray.agents.log.drafts import Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import MAX_REMEMBERED
from pinak_ray.language.names import folded
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["Called", "Entity", "Fact", "FactKind", "live_entities", "named"]

# A fact has some 150 bytes of JSON, and an entity is written whole with each mention.
_MAX_FACTS = 1_000
_MAX_NAMES = 256


class FactKind(StrEnum):
    """What a fact says."""

    ROLE = "role"
    STATE = "state"
    ATTRIBUTE = "attribute"
    RELATION = "relation"


@dataclass(frozen=True, slots=True)
class Fact:
    """`what` is the state's, attribute's or relation's name; a role has its own twice."""

    kind: FactKind
    what: str
    value: Any
    at: datetime
    learned_as: str
    """The folded name of its entity then."""


@dataclass(frozen=True, slots=True)
class Called:
    """A name, and how often it was mentioned."""

    name: str
    mentions: int


@dataclass(frozen=True, slots=True)
class Entity:
    """What an entry of kind `entity` says."""

    id: UUID
    type: str | None
    names: tuple[Called, ...]
    """The first one is what it is called."""
    facts: tuple[Fact, ...] = ()
    distinct_from: tuple[UUID, ...] = ()
    """Entities that it was split from: no mention puts them together again."""
    merged_into: UUID | None = None
    told_by: tuple[UUID, ...] = ()
    """The last operations that said something of it."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.names[0].name

    @property
    def mentions(self) -> int:
        """How often it was mentioned, under any name."""
        return sum(called.mentions for called in self.names)

    @property
    def keys(self) -> set[str]:
        """Its folded names."""
        return {folded(called.name) for called in self.names}

    def called(self, names: Iterable[str], *, mentioned: str) -> "Entity":
        """Return it with more names, one of them mentioned once more."""
        counts = {folded(called.name): called for called in self.names}
        for name in names:
            counts.setdefault(folded(name), Called(name, 0))
        key = folded(mentioned)
        counts[key] = replace(counts[key], mentions=counts[key].mentions + 1)
        return replace(self, names=tuple(counts.values()))

    def learned(self, facts: Iterable[Fact]) -> "Entity":
        """Return it with more facts, those left out that say nothing new."""
        kept = tuple(_telling((*self.facts, *facts)))
        if len(kept) > _MAX_FACTS:
            kept = tuple(_telling(kept, only_changes=True))
        return replace(self, facts=kept)

    def told(self, operation_id: UUID) -> "Entity":
        """Return it as one that this operation said something of."""
        return replace(self, told_by=(*self.told_by, operation_id)[-MAX_REMEMBERED:])

    def draft(self) -> Draft:
        """Return the entry that holds it; raises InvalidInput when that would be too long."""
        if len(self.facts) > _MAX_FACTS or len(self.names) > _MAX_NAMES:
            raise InvalidInput(
                f"{self.name!r} has {_MAX_FACTS} facts or {_MAX_NAMES} names, its limit; "
                "split it, or keep what is over in long-term memory"
            )
        details = asdict(self)
        del details["id"]
        return Draft(EntryKind.ENTITY, self.name, details, self.id)

    @classmethod
    def of(cls, entry: Entry) -> "Entity":
        """Return the entity that an entry holds."""
        details = entry.details
        merged = details["merged_into"]
        return cls(
            entry.id,
            details["type"],
            tuple(Called(**called) for called in details["names"]),
            tuple(
                Fact(
                    FactKind(fact["kind"]),
                    fact["what"],
                    fact["value"],
                    datetime.fromisoformat(fact["at"]),
                    fact["learned_as"],
                )
                for fact in details["facts"]
            ),
            tuple(map(UUID, details["distinct_from"])),
            None if merged is None else UUID(merged),
            tuple(map(UUID, details["told_by"])),
        )


def _telling(facts: Iterable[Fact], *, only_changes: bool = False) -> Iterator[Fact]:
    """Yield the facts that say something that the others do not.

    A state's equal values in a row all do: one that is still to be learned may belong between any
    two of them. Where there is no room for that, `only_changes` keeps the first and the last.
    """
    alike: dict[tuple[FactKind, str, str], list[Fact]] = defaultdict(list)
    for fact in sorted(facts, key=lambda fact: fact.at):
        alike[fact.kind, fact.what, fact.learned_as].append(fact)
    for (kind, _, _), group in alike.items():
        match kind:
            case FactKind.ROLE:
                yield group[0]
            case FactKind.ATTRIBUTE:
                yield group[-1]
            case FactKind.RELATION:
                yield from {fact.value: fact for fact in reversed(group)}.values()
            case FactKind.STATE:
                once = {fact.at: fact for fact in group}
                for _, run in groupby(once.values(), lambda fact: fact.value):
                    first, *rest = run
                    yield from (first, *(rest[-1:] if only_changes else rest))


def live_entities(log: EntryLog, now: datetime) -> list[Entity]:
    """Return the entities that are not merged into another one, oldest first."""
    entities = map(Entity.of, log.of_kind(EntryKind.ENTITY, now=now))
    return [entity for entity in entities if entity.merged_into is None]


def named(entities: Iterable[Entity], name: str) -> Entity | None:
    """Return the entity of this name: a folded name belongs to one entity at most."""
    key = folded(name)
    return next((entity for entity in entities if key in entity.keys), None)
