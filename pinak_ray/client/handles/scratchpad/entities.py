"""The verbs for entities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinak_ray.client.handles.scratchpad.base import ScratchpadBase
from pinak_ray.client.verbs import verb
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Execute, Query
from pinak_ray.records.scratchpad.entities import (
    Entities,
    EntitiesAnswer,
    EntityAnswer,
    EntityContext,
    EntityContextAnswer,
    Mention,
    OneEntity,
    Relate,
    SplitEntity,
    Timeline,
    TimelineAnswer,
)

__all__ = ["EntityVerbs"]


@dataclass(frozen=True, slots=True, repr=False)
class EntityVerbs(ScratchpadBase):
    """Who and what the task is about."""

    @verb
    def mention(
        self,
        name: str,
        *,
        type: str | None = None,
        aliases: Iterable[str] = (),
        roles: Iterable[str] = (),
        states: Mapping[str, str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Say something of an entity; returns a Receipt whose id is the entity's.

        Its names find it, however cased and nearly spelled; entities that the names of one mention
        belong to become one. `states` hold from `at` (now) on, until the next value.
        """
        return self._execute(
            Mention, idempotency_key, ack, name=name, type=type, aliases=tuple(aliases),
            roles=tuple(roles), states=dict(states or {}), attributes=dict(attributes or {}), at=at,
        )  # fmt: skip

    @verb
    def relate(
        self,
        subject: str,
        verb: str,
        object: str,
        *,
        at: datetime | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Say what one entity does to another, as `relate("api", "runs on", "db")`."""
        return self._execute(
            Relate, idempotency_key, ack, subject=subject, relation=verb, object=object, at=at
        )

    @verb
    def split_entity(
        self,
        name: str,
        *,
        names: Iterable[str],
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Undo a merge: `names`, with what was said under them, go; the Receipt's id is theirs."""
        return self._execute(SplitEntity, idempotency_key, ack, name=name, names=tuple(names))

    @verb
    def entities(
        self,
        *,
        type: str | None = None,
        limit: int = 100,
        skip: int = 0,
    ) -> Query[EntitiesAnswer]:
        """Read the entities, the most mentioned first."""
        return self._query(Entities, type=type, limit=limit, skip=skip)

    @verb
    def entity(self, name: str, *, at: datetime | None = None) -> Query[EntityAnswer]:
        """Read one entity by any of its names, as it is or as it was `at`; raises NotFound."""
        return self._query(OneEntity, called=name, at=at)

    @verb
    def timeline(self, name: str, *, skip: int = 0) -> Query[TimelineAnswer]:
        """Read what became true of one entity, and until when; raises NotFound."""
        return self._query(Timeline, called=name, skip=skip)

    @verb
    def entity_context(self, query: str, *, budget_tokens: int = 500) -> Query[EntityContextAnswer]:
        """Render the entities that a query is about, as text inside a token budget."""
        return self._query(EntityContext, query=query, budget_tokens=budget_tokens)
