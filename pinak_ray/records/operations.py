"""Operations are values: every verb builds one, and a transport's only job is to carry it.

`Operation[R]` names the result type, so that `await agent.note(...)` and `agent.note.remote(...)`
type-check without saying it twice. Operations that a host applies carry their owner.
"""

from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from pinak_ray.records.commands import Command, View
from pinak_ray.records.context import Context
from pinak_ray.records.grades import GradeRequest, RetrievalGrade
from pinak_ray.records.limits import MAX_WAIT_S
from pinak_ray.records.links import LinkChange, Related, RelatedRequest
from pinak_ray.records.memories import Ack, Memory, Receipt
from pinak_ray.records.nudges import Intent, Nudge, Verdict
from pinak_ray.records.recall import RecallRequest, RecallResult
from pinak_ray.records.revisions import Revision
from pinak_ray.records.state import Entry, EntryKind, Owner, WorkingItem
from pinak_ray.records.write_keys import WriteKey

__all__ = [
    "ChangeLink",
    "Dedicate",
    "Execute",
    "Feedback",
    "Forget",
    "Grade",
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


class Operation(Generic[R_co]):
    """Base of all operations; R is what carrying it out returns."""

    __slots__ = ()


class _Remember(NamedTuple):
    memory: Memory
    ack: Ack = Ack.DURABLE


class Remember(_Remember, Operation[Receipt]):
    """Store one memory."""

    __slots__ = ()

    def committed(self) -> "Remember":
        """Return it with the ack level that it can have: what a key stands for is known, and
        another write under it refused, once it is committed."""
        if self.ack is not Ack.ACCEPTED or self.memory.write_key is None:
            return self
        return Remember(self.memory, Ack.DURABLE)


class _Revise(NamedTuple):
    revision: Revision
    ack: Ack = Ack.DURABLE


class Revise(_Revise, Operation[Receipt]):
    """Store a memory in the place of another one."""

    __slots__ = ()


class _Forget(NamedTuple):
    owner: Owner
    memory_id: UUID


class Forget(_Forget, Operation[Receipt]):
    """Make one memory of the owner's namespace unfindable, and remove it."""

    __slots__ = ()


class _Recall(NamedTuple):
    namespace_id: int
    request: RecallRequest


class Recall(_Recall, Operation[RecallResult]):
    """Search the namespace's memories."""

    __slots__ = ()


class _ChangeLink(NamedTuple):
    change: LinkChange
    ack: Ack = Ack.DURABLE


class ChangeLink(_ChangeLink, Operation[Receipt]):
    """Link two memories, or remove a link. It is committed before any receipt: whether the memories
    are there is known only then."""

    __slots__ = ()


class _ReadRelated(NamedTuple):
    namespace_id: int
    request: RelatedRequest


class ReadRelated(_ReadRelated, Operation[tuple[Related, ...]]):
    """Find the memories that links lead to from one memory, strongest first."""

    __slots__ = ()


class _Intend(NamedTuple):
    owner: Owner
    intent: Intent
    k: int = 1
    repeat: bool = False
    id: UUID | None = None
    peek: bool = False


class Intend(_Intend, Operation[tuple[Nudge, ...]]):
    """Say what the agent is about to do, and hear what failed like it.

    `repeat` hears it again within the cool-down; so does a retry, which has the same `id`. A `peek`
    says nothing: the intent is not noted, and what it hears does not count as shown.
    """

    __slots__ = ()


class _Feedback(NamedTuple):
    owner: Owner
    subject: UUID
    verdict: Verdict
    voice: str | None = None


class Feedback(_Feedback, Operation[Receipt]):
    """Say what a nudge, or the memory behind nudges, was worth; `subject` is the id of either.

    `voice` is who is known to say it, where that is not the agent: a token's subject.
    """

    __slots__ = ()

    @property
    def speaker(self) -> str:
        """Return whose voice it counts as."""
        return self.owner.name if self.voice is None else self.voice


class _Grade(NamedTuple):
    owner: Owner
    request: GradeRequest


class Grade(_Grade, Operation[RetrievalGrade]):
    """Grade what was recalled for a question, and keep what each memory was worth for it."""

    __slots__ = ()


class _Note(NamedTuple):
    owner: Owner
    key: str
    encoded: bytes
    id: UUID
    ttl_s: float | None = None
    expected_version: int | None = None
    ack: Ack = Ack.DURABLE
    write_key: WriteKey | None = None


class Note(_Note, Operation[Receipt]):
    """Write one working item; `expected_version` makes it a compare-and-set (0: must be new)."""

    __slots__ = ()


class _Recollect(NamedTuple):
    owner: Owner
    key: str | None = None


class Recollect(_Recollect, Operation[tuple[WorkingItem, ...]]):
    """Read one working item, or all of them, by key."""

    __slots__ = ()


class _ReadContext(NamedTuple):
    owner: Owner
    budget_tokens: int
    board: str | None = None
    query: str | None = None


class ReadContext(_ReadContext, Operation[Context]):
    """Render what an agent needs within a token budget; it takes several other operations."""

    __slots__ = ()


class _Post(NamedTuple):
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


class Post(_Post, Operation[Receipt]):
    """Put one entry on a board or a scratchpad; the same id twice is the same entry."""

    __slots__ = ()


class _Read(NamedTuple):
    owner: Owner
    after_seq: int = 0
    kinds: tuple[EntryKind, ...] = ()
    limit: int = 100


class Read(_Read, Operation[tuple[Entry, ...]]):
    """Read the entries after a sequence number, oldest first."""

    __slots__ = ()


class _Execute(NamedTuple):
    owner: Owner
    id: UUID
    author: str
    command: Command
    ack: Ack = Ack.DURABLE
    write_key: WriteKey | None = None


class Execute(_Execute, Operation[R_co]):
    """Carry out one command on a board or a scratchpad; the same id twice is done once."""

    __slots__ = ()


class _Query(NamedTuple):
    owner: Owner
    view: View


class Query(_Query, Operation[R_co]):
    """Read one view of a board or a scratchpad."""

    __slots__ = ()


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


class _Watch(NamedTuple):
    owner: Owner
    after_seq: int = 0
    kinds: tuple[EntryKind, ...] = ()
    authors: tuple[str, ...] = ()
    prefix: str | None = None
    limit: int = 100
    wait_s: float = MAX_WAIT_S


class Watch(_Watch, Operation[WatchPage]):
    """Wait, at most `wait_s` seconds, for committed entries after a sequence number.

    Answered at once when there are any. `prefix` is that of an entry's key: with it no entry
    without a key matches. It writes nothing and keeps nothing, so it travels outside of the lanes.
    """

    __slots__ = ()

    def wants(self, entry: Entry) -> bool:
        """Return True if this entry passes the filters."""
        return (
            (not self.kinds or entry.kind in self.kinds)
            and (not self.authors or entry.author in self.authors)
            and (self.prefix is None or (entry.key or "").startswith(self.prefix))
        )


class _Dedicate(NamedTuple):
    owner: Owner
    dedicated: bool


class Dedicate(_Dedicate, Operation[None]):
    """Give an agent or a board a host of its own, or bring it back to the common ones."""

    __slots__ = ()


HostOperation = Note | Recollect | Post | Read | Execute[Any] | Query[Any]
