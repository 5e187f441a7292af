"""Entities of a task (GSW): who and what it is about, under which names, in which state, when."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from pinak_ray.records.commands import Answer, Command, ListAnswer, Listed, View
from pinak_ray.records.fields import Json, Labels, Moment, Name, Text
from pinak_ray.records.limits import MAX_BUDGET_TOKENS
from pinak_ray.records.state.owners import Space

__all__ = [
    "Entities",
    "EntitiesAnswer",
    "EntityAnswer",
    "EntityContext",
    "EntityContextAnswer",
    "Event",
    "Mention",
    "OneEntity",
    "Relate",
    "Relation",
    "SplitEntity",
    "Timeline",
    "TimelineAnswer",
]

States = Annotated[dict[Name, Name], Field(max_length=64)]
Attributes = Annotated[dict[Name, Json], Field(max_length=64)]


class Mention(Command, space=Space.AGENT, verb="mention"):
    """Say something of an entity. It is found by its names, however they are cased, or by one that
    is nearly the same; otherwise it is new. The receipt's id is the entity's.
    """

    name: Name
    type: Name | None = None
    aliases: Labels = ()
    roles: Labels = ()
    states: States = Field(default_factory=dict)
    """What is true of it from `at` on, as `{"health": "degraded"}`."""
    attributes: Attributes = Field(default_factory=dict)
    """What is true of it whenever."""
    at: Moment | None = None
    """Now, if absent."""


class Relate(Command, space=Space.AGENT, verb="relate"):
    """Say what one known entity does to, or is to, another; NotFound for an unknown one."""

    subject: Name
    relation: Name
    """A verb, as `runs_on` or `depends_on`."""
    object: Name
    at: Moment | None = None


class SplitEntity(Command, space=Space.AGENT, verb="split_entity"):
    """Undo a merge: these names, and what was said under them, are another entity after all."""

    name: Name
    names: Annotated[Labels, Field(min_length=1)]
    """Those that go; at least one must stay."""


class Relation(Answer):
    """A relation, as its entities are called now."""

    subject: str
    verb: str
    object: str
    at: datetime


class EntityAnswer(Answer):
    """One entity, and what was true of it at the moment that was asked for."""

    id: UUID
    name: str
    type: str | None
    aliases: tuple[str, ...]
    roles: tuple[str, ...]
    states: dict[str, str]
    attributes: Attributes
    relations: tuple[Relation, ...]
    mentions: int


class EntitiesAnswer(ListAnswer):
    """Entities, the most mentioned first."""

    entities: tuple[EntityAnswer, ...]


class Entities(Listed, View, space=Space.AGENT, name="entities"):
    """The entities of the scratchpad."""

    answer = EntitiesAnswer
    lists = ("entities",)

    type: Name | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class OneEntity(View, space=Space.AGENT, name="entity"):
    """One entity by any of its names; `at` asks what was true then."""

    answer = EntityAnswer

    called: Name
    at: Moment | None = None


class Event(Answer):
    """One thing that became true: a role, a state or a relation."""

    at: datetime
    what: str
    value: str
    until: datetime | None = None
    """When a state gave way to the next one."""


class TimelineAnswer(ListAnswer):
    """What became true, oldest first."""

    name: str
    events: tuple[Event, ...]


class Timeline(Listed, View, space=Space.AGENT, name="timeline"):
    """What was true of one entity, and when."""

    answer = TimelineAnswer
    lists = ("events",)

    called: Name


class EntityContextAnswer(Answer):
    """Text for a prompt, with its size in (estimated) tokens."""

    text: str
    tokens: int
    entities: int
    omitted: int


class EntityContext(View, space=Space.AGENT, name="entity_context"):
    """Render the entities that a query names or describes, inside a token budget."""

    answer = EntityContextAnswer

    query: Text
    budget_tokens: Annotated[int, Field(ge=1, le=MAX_BUDGET_TOKENS)] = 500
