"""Operations are values: every verb builds one, and a transport's only job is to carry it.

`Operation[R]` names the result type, so that `await agent.note(...)` and `agent.note.remote(...)`
type-check without saying it twice. Operations that a host applies carry their owner.
"""

from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import orjson

from pinak_ray.records.commands import Command, View
from pinak_ray.records.ids import uuid7
from pinak_ray.records.limits import MAX_WAIT_S
from pinak_ray.records.memory.context import Context
from pinak_ray.records.memory.links import LinkChange, Related, RelatedRequest
from pinak_ray.records.memory.memories import Ack, Memory, Receipt
from pinak_ray.records.memory.nudges import INTENT_KEY, INTENT_TTL_S, Intent, Nudge, Verdict
from pinak_ray.records.memory.recall import RecallRequest, RecallResult
from pinak_ray.records.memory.revisions import Revision
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, WorkingItem
from pinak_ray.records.wiring import Operation, Place, wired
from pinak_ray.records.write_keys import WriteKey

__all__ = [
    "ChangeLink",
    "Dedicate",
    "Execute",
    "Feedback",
    "Forget",
    "HostOperation",
    "Intend",
    "Note",
    "Operation",
    "Origin",
    "Post",
    "Query",
    "Read",
    "ReadContext",
    "ReadRelated",
    "Recall",
    "Recollect",
    "Remember",
    "Revise",
    "Watch",
    "WatchPage",
]

R_co = TypeVar("R_co", covariant=True)


class Origin(NamedTuple):
    """Which batch of which lane brought an operation.

    A lane is one client's way to one host: its batches are numbered from 1, and the next one leaves
    only when the one before was answered. So a host has to remember one batch of receipts a lane,
    and no more, to answer a retry as it answered first.
    """

    lane: UUID
    batch: int


@wired(Place.WRITER, "POST /v1/memories", "POST /v1/memories/batch", writes=True)
class Remember(Operation[Receipt], frozen=True):
    """Store one memory."""

    memory: Memory
    ack: Ack = Ack.DURABLE

    def committed(self) -> "Remember":
        """Return it with the ack level that it can have: what a key stands for is known, and
        another write under it refused, once it is committed."""
        if self.ack is not Ack.ACCEPTED or self.memory.write_key is None:
            return self
        return Remember(self.memory, Ack.DURABLE)


@wired(Place.WRITER, "PUT /v1/memories/{memory_id}", writes=True)
class Revise(Operation[Receipt], frozen=True):
    """Store a memory in the place of another one."""

    revision: Revision
    ack: Ack = Ack.DURABLE


@wired(Place.WRITER, "DELETE /v1/memories/{memory_id}", writes=True)
class Forget(Operation[Receipt], frozen=True):
    """Make one memory of the owner's namespace unfindable, and remove it."""

    owner: Owner
    memory_id: UUID


@wired(Place.SEARCH, "POST /v1/recall")
class Recall(Operation[RecallResult], frozen=True):
    """Search the namespace's memories."""

    namespace_id: int
    request: RecallRequest


@wired(
    Place.WRITER,
    "POST /v1/memories/{memory_id}/links",
    "DELETE /v1/memories/{memory_id}/links/{to}",
    writes=True,
)
class ChangeLink(Operation[Receipt], frozen=True):
    """Link two memories, or remove a link. It is committed before any receipt: whether the memories
    are there is known only then."""

    change: LinkChange
    ack: Ack = Ack.DURABLE


@wired(Place.SEARCH, "GET /v1/memories/{memory_id}/links", call="related", under="related")
class ReadRelated(Operation[tuple[Related, ...]], frozen=True):
    """Find the memories that links lead to from one memory, strongest first."""

    namespace_id: int
    request: RelatedRequest


@wired(Place.SEARCH, "POST /v1/nudges", under="nudges")
class Intend(Operation[tuple[Nudge, ...]], frozen=True):
    """Say what the agent is about to do, and hear what failed like it.

    `repeat` hears it again within the cool-down; so does a retry, which has the same `id`. A `peek`
    says nothing: the intent is not noted, and what it hears does not count as shown.
    """

    owner: Owner
    intent: Intent
    k: int = 1
    repeat: bool = False
    id: UUID | None = None
    peek: bool = False

    def beside(self) -> "Note | None":
        """Return the working item that records what the agent is about to do."""
        if self.peek:
            return None
        text, tool, arguments = self.intent.text, self.intent.tool, self.intent.arguments
        said = {"text": text, "tool": tool, "arguments": orjson.Fragment(arguments)}
        id_, encoded = uuid7(), orjson.dumps(said)
        return Note(self.owner, INTENT_KEY, encoded, id_, ttl_s=INTENT_TTL_S, ack=Ack.ACCEPTED)


@wired(Place.SEARCH, "POST /v1/nudges/{nudge_id}/feedback", writes=True)
class Feedback(Operation[Receipt], frozen=True):
    """Say what a nudge, or the memory behind nudges, was worth; `subject` is the id of either.

    `voice` is who is known to say it, where that is not the agent: a token's subject.
    """

    owner: Owner
    subject: UUID
    verdict: Verdict
    voice: str | None = None

    @property
    def speaker(self) -> str:
        """Return whose voice it counts as."""
        return self.owner.name if self.voice is None else self.voice


@wired(
    Place.HOST,
    "PUT /v1/agents/{agent}/working/{key:path}",
    "PUT /v1/agents/{agent}/working",
    writes=True,
)
class Note(Operation[Receipt], frozen=True):
    """Write one working item; `expected_version` makes it a compare-and-set (0: must be new)."""

    owner: Owner
    key: str
    encoded: bytes
    id: UUID
    ttl_s: float | None = None
    expected_version: int | None = None
    ack: Ack = Ack.DURABLE
    write_key: WriteKey | None = None


@wired(Place.HOST, "GET /v1/agents/{agent}/working", "GET /v1/agents/{agent}/working/{key:path}")
class Recollect(Operation[tuple[WorkingItem, ...]], frozen=True):
    """Read one working item, or all of them, by key."""

    owner: Owner
    key: str | None = None


@wired(Place.COMPOSED, "GET /v1/agents/{agent}/context")
class ReadContext(Operation[Context], frozen=True):
    """Render what an agent needs within a token budget; it takes several other operations."""

    owner: Owner
    budget_tokens: int
    board: str | None = None
    query: str | None = None


@wired(Place.HOST, "POST /v1/boards/{board}", "POST /v1/agents/{agent}/scratchpad", writes=True)
class Post(Operation[Receipt], frozen=True):
    """Put one entry on a board or a scratchpad; the same id twice is the same entry."""

    owner: Owner
    id: UUID
    kind: EntryKind
    author: str
    content: str
    encoded_details: bytes = b"{}"
    key: str | None = None
    ttl_s: float | None = None
    expected_version: int | None = None
    ack: Ack = Ack.DURABLE
    write_key: WriteKey | None = None


@wired(Place.HOST, "GET /v1/boards/{board}", "GET /v1/agents/{agent}/scratchpad")
class Read(Operation[tuple[Entry, ...]], frozen=True):
    """Read the entries after a sequence number, oldest first."""

    owner: Owner
    after_seq: int = 0
    kinds: tuple[EntryKind, ...] = ()
    limit: int = 100


@wired(
    Place.HOST,
    "POST /v1/boards/{board}/{verb}",
    "POST /v1/agents/{agent}/scratchpad/{verb}",
    writes=True,
)
class Execute(Operation[R_co], frozen=True):
    """Carry out one command on a board or a scratchpad; the same id twice is done once."""

    owner: Owner
    id: UUID
    author: str
    command: Command
    ack: Ack = Ack.DURABLE
    write_key: WriteKey | None = None


@wired(Place.HOST, "GET /v1/boards/{board}/{view}", "GET /v1/agents/{agent}/scratchpad/{view}")
class Query(Operation[R_co], frozen=True):
    """Read one view of a board or a scratchpad."""

    owner: Owner
    view: View


class WatchPage(NamedTuple):
    """Entries in rising `seq`, and the cursor to watch on from; what lies between did not match."""

    entries: tuple[Entry, ...]
    cursor: int

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickling a hundred entries takes 1.4 ms, and their plain values 0.15; a host does it for
        # every watcher's page.
        return _page, ([entry.plain() for entry in self.entries], self.cursor)


def _page(plain: list[tuple[Any, ...]], cursor: int) -> WatchPage:
    return WatchPage(tuple(map(Entry.of_plain, plain)), cursor)


@wired(Place.BESIDE, "GET /v1/boards/{board}/watch", "GET /v1/agents/{agent}/watch")
class Watch(Operation[WatchPage], frozen=True):
    """Wait, at most `wait_s` seconds, for committed entries after a sequence number.

    Answered at once when there are any. `prefix` is that of an entry's key: with it no entry
    without a key matches. It writes nothing and keeps nothing, so it travels outside of the lanes.
    """

    owner: Owner
    after_seq: int = 0
    kinds: tuple[EntryKind, ...] = ()
    authors: tuple[str, ...] = ()
    prefix: str | None = None
    limit: int = 100
    wait_s: float = MAX_WAIT_S

    def wants(self, entry: Entry) -> bool:
        """Return True if this entry passes the filters."""
        return (
            (not self.kinds or entry.kind in self.kinds)
            and (not self.authors or entry.author in self.authors)
            and (self.prefix is None or (entry.key or "").startswith(self.prefix))
        )


@wired(Place.SUPERVISOR, writes=True, unrouted="over Ray only: it starts a process")
class Dedicate(Operation[None], frozen=True):
    """Give an agent or a board a host of its own, or bring it back to the common ones."""

    owner: Owner
    dedicated: bool


HostOperation = Note | Recollect | Post | Read | Execute[Any] | Query[Any]
