"""AgentHandle: one agent's memory, working memory and nudges."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pinak_ray.client.handles.checks import (
    checked_budget,
    checked_version,
    encoded_vector,
    item_key,
)
from pinak_ray.client.handles.handle import Handle
from pinak_ray.client.handles.scratchpad import ScratchpadHandle
from pinak_ray.client.verbs import verb
from pinak_ray.records.ids import uuid7
from pinak_ray.records.limits import (
    check_json,
    check_name,
    check_ttl,
)
from pinak_ray.records.memories import Ack, Layer, Outcome, ack_level, new_memory
from pinak_ray.records.nudges import check_nudge_count, new_intent
from pinak_ray.records.operations import (
    Dedicate,
    Intend,
    Note,
    ReadContext,
    Recall,
    Recollect,
    Remember,
)
from pinak_ray.records.recall import new_recall
from pinak_ray.records.state import Owner, Space

__all__ = ["AgentHandle"]


@dataclass(frozen=True, slots=True, repr=False)
class AgentHandle(Handle):
    """One agent. Always addressable: it is activated on its first use, wherever its host is."""

    _owner: Owner = field(init=False, compare=False)

    def __post_init__(self) -> None:
        owner = Owner(self.swarm.namespace_id, Space.AGENT, self.name)
        object.__setattr__(self, "_owner", owner)

    @property
    def scratchpad(self) -> "ScratchpadHandle":
        """The agent's private record of the task at hand."""
        return ScratchpadHandle(self.swarm, self.name)

    @verb
    def remember(
        self,
        content: str,
        *,
        layer: Layer | str = Layer.SEMANTIC,
        session: str | None = None,
        details: Mapping[str, Any] | None = None,
        tags: Iterable[str] = (),
        entities: Iterable[str] = (),
        outcome: Outcome | str | None = None,
        salience: float = 0.5,
        occurred_at: datetime | str | None = None,
        ttl_s: float | None = None,
        source: str | None = None,
        vector: Sequence[float] | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Remember:
        """Store one memory; returns a Receipt once the ack level is reached.

        `vector` replaces the embedding of the content. A second call with the same
        `idempotency_key` stores nothing and returns the first id, with `new=False`. Raises
        InvalidInput (nothing is stored), Overloaded, Unavailable.
        """
        memory = new_memory(
            self.swarm.namespace_id,
            self.name,
            content,
            layer=layer,
            session=session,
            details=details,
            tags=tags,
            entities=entities,
            outcome=outcome,
            salience=salience,
            occurred_at=occurred_at,
            ttl_s=ttl_s,
            source=source,
            vector=encoded_vector(vector, self.swarm.dimension),
            idempotency_key=idempotency_key,
        )
        return Remember(memory, ack if type(ack) is Ack else ack_level(ack))

    @verb
    def recall(
        self,
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
        vector: Sequence[float] | None = None,
    ) -> Recall:
        """Search the namespace's memories; returns a RecallResult, best hit first.

        All agents' memories are searched; `agents=[...]` narrows. `trace=True` explains each hit.
        """
        request = new_recall(
            query,
            k=k,
            recipe=recipe,
            layers=layers,
            agents=agents,
            sessions=sessions,
            tags=tags,
            outcome=outcome,
            since=since,
            until=until,
            min_score=min_score,
            trace=trace,
            vector=encoded_vector(vector, self.swarm.dimension),
        )
        return Recall(self.swarm.namespace_id, request)

    @verb
    def intend(
        self,
        intent: str,
        *,
        tool: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        k: int = 1,
    ) -> Intend:
        """Say what is about to be done; returns the nudges (none: nothing like it failed)."""
        checked = new_intent(intent, tool=tool, arguments=arguments)
        return Intend(self._owner, checked, check_nudge_count(k))

    @verb
    def note(
        self,
        key: str,
        value: Any,
        *,
        ttl_s: float | None = None,
        expected_version: int | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Note:
        """Write one working item; returns a Receipt with its version.

        `expected_version` makes it a compare-and-set: 0 means that the key must be new. Raises
        VersionConflict when another version is there.
        """
        check_ttl(ttl_s)
        return Note(
            self._owner,
            item_key(key),
            check_json("value", value),
            uuid7(),
            ttl_s,
            checked_version(expected_version),
            ack_level(ack),
        )

    @verb
    def recollect(self, key: str | None = None) -> Recollect:
        """Read the working item of this key, or all of them; returns a tuple of WorkingItem."""
        return Recollect(self._owner, None if key is None else check_name("key", key))

    @verb
    def dedicate(self, dedicated: bool = True) -> Dedicate:
        """Give this agent a host of its own; False brings it back to the common ones.

        For the rare agent that would be a burden to its neighbours: a process costs 50 MB. Over Ray
        only; raises InvalidInput elsewhere.
        """
        return Dedicate(self._owner, dedicated)

    @verb
    def context(self, budget_tokens: int = 1000) -> ReadContext:
        """Render working memory, newest first, within a token budget; returns a Context."""
        return ReadContext(self._owner, checked_budget(budget_tokens))
