"""Entities: a mention finds its entity by its names, brings two together, and can be undone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import MAX_REMEMBERED
from pinak_ray.agents.scratchpad.entity import (
    Called,
    Entity,
    Fact,
    FactKind,
    live_entities,
    named,
)
from pinak_ray.language.names import folded, nearly_same
from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.scratchpad.entities import Mention, Relate, SplitEntity
from pinak_ray.records.state.owners import EntryKind

__all__ = ["known_entity", "mention", "relate", "split_entity"]


def mention(log: EntryLog, command: Mention, call: Call) -> Decision:
    """Find or make the entity, join those that the names hold together, and add what is new."""
    entities = live_entities(log, call.now)
    if (told := _told(log, entities, call)) is not None:
        return told
    held = _held(entities, command)
    entity, absorbed = _joined(held) if held else (_new(call.id, command), ())
    spoken_for = {key for each in entities if each not in held for key in each.keys}
    aliases = [alias for alias in command.aliases if folded(alias) not in spoken_for]
    entity = replace(entity, type=entity.type or command.type)
    entity = entity.called((command.name, *aliases), mentioned=command.name)
    entity = entity.learned(_facts(command, call.now)).told(call.id)
    return Decision((entity.draft(), *(each.draft() for each in absorbed)))


def relate(log: EntryLog, command: Relate, call: Call) -> Decision:
    """Add a relation to its subject; both ends are kept by name, so that splits move them."""
    entities = live_entities(log, call.now)
    if (told := _told(log, entities, call)) is not None:
        return told
    subject = known_entity(entities, command.subject)
    known_entity(entities, command.object)
    at = command.at or call.now
    learned_as = folded(command.subject)
    fact = Fact(FactKind.RELATION, command.relation, folded(command.object), at, learned_as)
    return Decision((subject.learned([fact]).told(call.id).draft(),))


def split_entity(log: EntryLog, command: SplitEntity, call: Call) -> Decision:
    """Give some of an entity's names, and what was learned under them, an entity of their own."""
    entities = live_entities(log, call.now)
    if (told := _told(log, entities, call)) is not None:
        return told
    whole = known_entity(entities, command.name)
    going = {folded(name) for name in command.names}
    if unknown := going - whole.keys:
        raise NotFound(f"{whole.name!r} is not called {min(unknown)!r}")
    if going == whole.keys:
        raise InvalidInput("at least one name must stay; an entity cannot be split from itself")
    id_, type_ = _before_merge(log, whole, going, call)
    stays = replace(
        whole,
        names=tuple(called for called in whole.names if folded(called.name) not in going),
        facts=tuple(fact for fact in whole.facts if fact.learned_as not in going),
        distinct_from=(*whole.distinct_from, id_),
    )
    goes = Entity(
        id_,
        type_,
        tuple(called for called in whole.names if folded(called.name) in going),
        tuple(fact for fact in whole.facts if fact.learned_as in going),
        (whole.id,),
        told_by=(call.id,),
    )
    return Decision((goes.draft(), stays.draft()))


def _told(log: EntryLog, entities: Sequence[Entity], call: Call) -> Decision | None:
    """Return what is said to a retry: the entity that the operation has spoken of before."""
    told = next((entity.id for entity in entities if call.id in entity.told_by), None)
    return None if told is None else Decision(held=log.entries[told])


def known_entity(entities: Sequence[Entity], name: str) -> Entity:
    """Return the entity of this name; raises NotFound."""
    entity = named(entities, name)
    if entity is None:
        raise NotFound(f"there is no entity called {name!r} here")
    return entity


def _held(entities: Sequence[Entity], command: Mention) -> list[Entity]:
    """Return the entities that the mention's names belong to, that of its name first.

    Without any, one that is called nearly so, and is of no other type. Those that were split from
    each other are not brought together: the first one has the mention.
    """
    found: list[Entity] = []
    for name in (command.name, *command.aliases):
        entity = named(entities, name)
        if entity is not None and entity not in found and not _distinct(found, entity):
            found.append(entity)
    if found:
        return found
    key = folded(command.name)
    alike = (
        entity
        for entity in entities
        if (None in (entity.type, command.type) or entity.type == command.type)
        and any(nearly_same(key, each) for each in entity.keys)
    )
    return [entity for entity in (next(alike, None),) if entity is not None]


def _distinct(found: Sequence[Entity], entity: Entity) -> bool:
    return any(each.id in entity.distinct_from or entity.id in each.distinct_from for each in found)


def _joined(held: Sequence[Entity]) -> tuple[Entity, tuple[Entity, ...]]:
    """Return one entity of several, and the others as they are kept: merged into it."""
    first, *others = held
    joined = replace(
        first,
        type=next((entity.type for entity in held if entity.type is not None), None),
        names=tuple(called for entity in held for called in entity.names),
        facts=tuple(fact for entity in held for fact in entity.facts),
        distinct_from=tuple(dict.fromkeys(id_ for each in held for id_ in each.distinct_from)),
        told_by=tuple(id_ for each in held for id_ in each.told_by)[-MAX_REMEMBERED:],
    )
    return joined, tuple(replace(entity, merged_into=first.id) for entity in others)


def _new(id_: UUID, command: Mention) -> Entity:
    return Entity(id_, command.type, (Called(command.name, 0),))


def _before_merge(
    log: EntryLog, whole: Entity, going: set[str], call: Call
) -> tuple[UUID, str | None]:
    """Return id and type of the entity that had these names before a merge, or those of a new."""
    for entry in log.of_kind(EntryKind.ENTITY, now=call.now):
        before = Entity.of(entry)
        if before.merged_into == whole.id and before.keys <= going:
            return before.id, before.type
    return call.id, whole.type


def _facts(command: Mention, now: datetime) -> list[Fact]:
    at, learned_as = command.at or now, folded(command.name)
    return [
        *(Fact(FactKind.ROLE, role, role, at, learned_as) for role in command.roles),
        *(
            Fact(FactKind.STATE, what, value, at, learned_as)
            for what, value in command.states.items()
        ),
        *(
            Fact(FactKind.ATTRIBUTE, what, value, at, learned_as)
            for what, value in command.attributes.items()
        ),
    ]
