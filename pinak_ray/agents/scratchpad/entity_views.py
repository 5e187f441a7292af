"""What is known of entities: now, at another moment, over time, and as text for a prompt."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

import orjson

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.entities import known_entity
from pinak_ray.agents.scratchpad.entity import Entity, Fact, FactKind, live_entities, named
from pinak_ray.language.names import folded
from pinak_ray.records.memory.context import estimate_tokens
from pinak_ray.records.scratchpad.entities import (
    Entities,
    EntitiesAnswer,
    EntityAnswer,
    EntityContext,
    EntityContextAnswer,
    Event,
    OneEntity,
    Relation,
    Timeline,
    TimelineAnswer,
)

__all__ = ["show_entities", "show_entity", "show_entity_context", "show_timeline"]

# As memOS scored them, so that a name beats any number of attributes that it is likely to have.
_NAME_HIT, _ALIAS_HIT, _ATTRIBUTE_HIT = 5, 3, 2
_MOST_FOR_MENTIONS = 5

_WORD = re.compile(r"\w+")


def show_entities(log: EntryLog, view: Entities, now: datetime) -> EntitiesAnswer:
    """Return the entities of one type, or all, the most mentioned first."""
    entities = live_entities(log, now)
    wanted = [entity for entity in entities if view.type in (None, entity.type)]
    wanted.sort(key=lambda entity: entity.mentions, reverse=True)
    return EntitiesAnswer(
        entities=tuple(_answer(each, entities, None) for each in wanted[: view.limit])
    )


def show_entity(log: EntryLog, view: OneEntity, now: datetime) -> EntityAnswer:
    """Return one entity, as it is or as it was."""
    entities = live_entities(log, now)
    return _answer(known_entity(entities, view.called), entities, view.at)


def show_timeline(log: EntryLog, view: Timeline, now: datetime) -> TimelineAnswer:
    """Return what became true of one entity, oldest first."""
    entities = live_entities(log, now)
    entity = known_entity(entities, view.called)
    events = [
        *(
            Event(at=fact.at, what=fact.what, value=fact.value, until=until)
            for fact, until in _phases(entity)
        ),
        *(
            Event(at=fact.at, what="role", value=fact.value)
            for fact in _of_kind(entity, FactKind.ROLE)
        ),
        *(
            Event(at=each.at, what=each.verb, value=each.object)
            for each in _relations(entity, entities, None)
        ),
    ]
    return TimelineAnswer(
        name=entity.name, events=tuple(sorted(events, key=lambda event: event.at))
    )


def show_entity_context(log: EntryLog, view: EntityContext, now: datetime) -> EntityContextAnswer:
    """Return lines on the entities that the query is about, best first, inside the budget."""
    entities = live_entities(log, now)
    scores = {entity.id: _score(entity, view.query) for entity in entities}
    found = sorted(
        (entity for entity in entities if scores[entity.id]),
        key=lambda entity: scores[entity.id],
        reverse=True,
    )
    lines: list[str] = []
    spent = 0
    for entity in found:
        line = _line(_answer(entity, entities, None))
        cost = estimate_tokens(line + "\n")
        if spent + cost <= view.budget_tokens:
            lines.append(line)
            spent += cost
    return EntityContextAnswer(
        text="\n".join(lines), tokens=spent, entities=len(lines), omitted=len(found) - len(lines)
    )


def _answer(entity: Entity, entities: Sequence[Entity], at: datetime | None) -> EntityAnswer:
    """Return an entity as it was at a moment; without one, by the newest that is known."""
    facts = [fact for fact in _sorted(entity) if at is None or fact.at <= at]
    return EntityAnswer(
        id=entity.id,
        name=entity.name,
        type=entity.type,
        aliases=tuple(called.name for called in entity.names[1:]),
        roles=tuple(dict.fromkeys(fact.what for fact in facts if fact.kind is FactKind.ROLE)),
        states={fact.what: fact.value for fact in facts if fact.kind is FactKind.STATE},
        # The newest word on what is true whenever, so it does not depend on the moment.
        attributes={fact.what: fact.value for fact in _of_kind(entity, FactKind.ATTRIBUTE)},
        relations=tuple(_relations(entity, entities, at)),
        mentions=entity.mentions,
    )


def _sorted(entity: Entity) -> list[Fact]:
    return sorted(entity.facts, key=lambda fact: fact.at)


def _of_kind(entity: Entity, kind: FactKind) -> list[Fact]:
    return [fact for fact in _sorted(entity) if fact.kind is kind]


def _phases(entity: Entity) -> Iterator[tuple[Fact, datetime | None]]:
    """Yield each state's changes, with the moment at which the next value took its place."""
    states = _of_kind(entity, FactKind.STATE)
    for what in dict.fromkeys(fact.what for fact in states):
        changes: list[Fact] = []
        for fact in states:
            if fact.what == what and (not changes or changes[-1].value != fact.value):
                changes.append(fact)
        for change, next_ in pairwise([*changes, None]):
            assert change is not None
            yield change, None if next_ is None else next_.at


def _relations(
    entity: Entity, entities: Sequence[Entity], at: datetime | None
) -> Iterator[Relation]:
    """Yield what it does to others, then what others do to it."""
    for subject in (entity, *(each for each in entities if each is not entity)):
        for fact in _of_kind(subject, FactKind.RELATION):
            known = named(entities, fact.value)
            concerned = entity in (subject, known)
            if known is not None and concerned and (at is None or fact.at <= at):
                yield Relation(subject=subject.name, verb=fact.what, object=known.name, at=fact.at)


def _score(entity: Entity, query: str) -> int:
    """Return how much a query is about an entity, 0 for not at all."""
    text = _words(query)

    def hit(words: str) -> bool:
        said = _words(words)
        return bool(said.strip()) and said in text

    first, *aliases = entity.names
    score = _NAME_HIT * hit(first.name)
    score += _ALIAS_HIT * sum(hit(called.name) for called in aliases)
    score += _ATTRIBUTE_HIT * sum(
        hit(fact.what) or (isinstance(fact.value, str) and hit(fact.value))
        for fact in _of_kind(entity, FactKind.ATTRIBUTE)
    )
    return score and score + min(entity.mentions, _MOST_FOR_MENTIONS)


def _words(text: str) -> str:
    """Return the words alone, each between spaces, so that a part of one is not taken for it."""
    return f" {' '.join(_WORD.findall(folded(text)))} "


def _line(entity: EntityAnswer) -> str:
    parts = [entity.name + (f" ({entity.type})" if entity.type else "")]
    if entity.aliases:
        parts.append(f"also {', '.join(entity.aliases)}")
    parts += entity.roles
    parts += [f"{what} is {value}" for what, value in entity.states.items()]
    parts += [f"{what}: {_shown(value)}" for what, value in entity.attributes.items()]
    parts += [f"{each.subject} {each.verb} {each.object}" for each in entity.relations]
    return "; ".join(parts)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
