"""AgentHandle, BoardHandle, ScratchpadHandle: cheap, picklable, one method a verb."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pinak_ray.client.transport import Transport
from pinak_ray.client.verbs import verb
from pinak_ray.embedding import check_vector, encode_halfvec_one
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import uuid7
from pinak_ray.records.limits import (
    MAX_BUDGET_TOKENS,
    MAX_READ,
    check_details,
    check_json,
    check_name,
    check_text,
    check_ttl,
)
from pinak_ray.records.memories import Ack, Layer, Outcome, ack_level, new_memory
from pinak_ray.records.nudges import check_nudge_count, new_intent
from pinak_ray.records.operations import (
    Dedicate,
    Intend,
    Note,
    Post,
    Read,
    ReadContext,
    Recall,
    Recollect,
    Remember,
)
from pinak_ray.records.recall import new_recall
from pinak_ray.records.state import EntryKind, Owner, Space

__all__ = ["AgentHandle", "BoardHandle", "ScratchpadHandle"]


class SwarmLike(Protocol):
    """What a handle needs of its swarm."""

    @property
    def namespace_id(self) -> int: ...
    @property
    def dimension(self) -> int: ...
    @property
    def transport(self) -> Transport: ...


def _encoded_vector(vector: Sequence[float] | None, dimension: int) -> bytes | None:
    if vector is None:
        return None
    return encode_halfvec_one(check_vector(vector, dimension=dimension))


@dataclass(frozen=True, slots=True)
class _Handle:
    swarm: SwarmLike
    name: str

    @property
    def transport(self) -> Transport:
        """The wire that this handle's operations take."""
        return self.swarm.transport

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class AgentHandle(_Handle):
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
            vector=_encoded_vector(vector, self.swarm.dimension),
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
            vector=_encoded_vector(vector, self.swarm.dimension),
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
            _item_key(key),
            check_json("value", value),
            uuid7(),
            ttl_s,
            _version(expected_version),
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
        return ReadContext(self._owner, _budget(budget_tokens))


@dataclass(frozen=True, slots=True, repr=False)
class ScratchpadHandle(_Handle):
    """One agent's scratchpad; only handles of that agent reach it."""

    @verb
    def post(
        self,
        content: str,
        *,
        kind: EntryKind | str = EntryKind.OBSERVATION,
        details: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Post:
        """Record one entry; returns a Receipt."""
        owner = Owner(self.swarm.namespace_id, Space.AGENT, self.name)
        return _post(owner, self.name, content, kind, details, idempotency_key, ack)

    @verb
    def read(
        self, *, after: int = 0, kinds: Iterable[EntryKind | str] = (), limit: int = 100
    ) -> Read:
        """Read entries past a sequence number, oldest first; returns a tuple of Entry."""
        owner = Owner(self.swarm.namespace_id, Space.AGENT, self.name)
        return _read(owner, after, kinds, limit)


@dataclass(frozen=True, slots=True, repr=False)
class BoardHandle(_Handle):
    """A blackboard shared by a team."""

    @verb
    def post(
        self,
        content: str,
        *,
        author: str,
        kind: EntryKind | str = EntryKind.FINDING,
        key: str | None = None,
        details: Mapping[str, Any] | None = None,
        ttl_s: float | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Post:
        """Post a finding, a contradiction or a public entry; returns a Receipt.

        A public entry needs a `key`: posting to the same key replaces it and raises its version,
        under compare-and-set when `expected_version` is given.
        """
        owner = Owner(self.swarm.namespace_id, Space.BOARD, self.name)
        post = _post(owner, author, content, kind, details, idempotency_key, ack)
        if (post.kind is EntryKind.PUBLIC) != (key is not None):
            raise InvalidInput("a public entry has a key, and no other entry has one")
        if expected_version is not None and key is None:
            raise InvalidInput("expected_version belongs to a public entry")
        check_ttl(ttl_s)
        return post._replace(
            key=None if key is None else check_name("key", key),
            ttl_s=ttl_s,
            expected_version=_version(expected_version),
        )

    @verb
    def read(
        self, *, after: int = 0, kinds: Iterable[EntryKind | str] = (), limit: int = 100
    ) -> Read:
        """Read entries past a sequence number, oldest first; returns a tuple of Entry."""
        return _read(Owner(self.swarm.namespace_id, Space.BOARD, self.name), after, kinds, limit)


def _kind(kind: EntryKind | str) -> EntryKind:
    try:
        return EntryKind(kind)
    except ValueError:
        names = ", ".join(EntryKind)
        raise InvalidInput(f"unknown kind {kind!r}; choose one of: {names}") from None


def _item_key(key: str) -> str:
    if check_name("key", key).startswith("$"):
        raise InvalidInput("keys that start with $ belong to pinak-ray; choose another")
    return key


def _version(expected: int | None) -> int | None:
    return None if expected is None else _whole("expected_version", expected, low=0, high=2**62)


def _whole(what: str, value: object, *, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(f"{what} is {value!r}, it must be a whole number from {low} to {high}")
    return value


def _budget(budget_tokens: int) -> int:
    return _whole("budget_tokens", budget_tokens, low=1, high=MAX_BUDGET_TOKENS)


def _post(
    owner: Owner,
    author: str,
    content: str,
    kind: EntryKind | str,
    details: Mapping[str, Any] | None,
    idempotency_key: str | None,
    ack: Ack | str,
) -> Post:
    return Post(
        owner,
        owner.write_id(idempotency_key),
        _kind(kind),
        check_name("author", author),
        check_text("content", content),
        b"{}" if details is None else check_details(details),
        ack=ack_level(ack),
    )


def _read(owner: Owner, after: int, kinds: Iterable[EntryKind | str], limit: int) -> Read:
    return Read(
        owner,
        _whole("after", after, low=0, high=2**62),
        tuple(_kind(kind) for kind in kinds),
        _whole("limit", limit, low=1, high=MAX_READ),
    )
