"""Operations are values: every verb builds one, and a transport's only job is to carry it.

`Operation[R]` names the result type, so that `await agent.note(...)` and `agent.note.remote(...)`
type-check without saying it twice. Operations that a host applies carry their owner.
"""

from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from pinak_ray.records.limits import MAX_WAIT_S
from pinak_ray.records.links import LinkChange, Related, RelatedRequest
from pinak_ray.records.memories import Ack, Memory, Receipt
from pinak_ray.records.nudges import Intent, Nudge, Verdict
from pinak_ray.records.recall import RecallRequest, RecallResult
from pinak_ray.records.revisions import Revision
from pinak_ray.records.state import Entry, EntryKind, Owner, WorkingItem

__all__ = [
    "ChangeLink",
    "Context",
    "Dedicate",
    "Feedback",
    "Forget",
    "HostOperation",
    "Intend",
    "Note",
    "Operation",
    "Origin",
    "Post",
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


class Intend(_Intend, Operation[tuple[Nudge, ...]]):
    """Say what the agent is about to do, and hear what failed like it.

    `repeat` hears it again within the cool-down; so does a retry, which has the same `id`.
    """

    __slots__ = ()


class _Feedback(NamedTuple):
    owner: Owner
    subject: UUID
    verdict: Verdict


class Feedback(_Feedback, Operation[Receipt]):
    """Say what a nudge, or the memory behind nudges, was worth; `subject` is the id of either."""

    __slots__ = ()


class _Note(NamedTuple):
    owner: Owner
    key: str
    encoded: bytes
    id: UUID
    ttl_s: float | None = None
    expected_version: int | None = None
    ack: Ack = Ack.DURABLE


class Note(_Note, Operation[Receipt]):
    """Write one working item; `expected_version` makes it a compare-and-set (0: must be new)."""

    __slots__ = ()


class _Recollect(NamedTuple):
    owner: Owner
    key: str | None = None


class Recollect(_Recollect, Operation[tuple[WorkingItem, ...]]):
    """Read one working item, or all of them, by key."""

    __slots__ = ()


class Context(NamedTuple):
    """An agent's working memory as text for a prompt, with its size in (estimated) tokens."""

    text: str
    tokens: int
    items: int
    omitted: int


class _ReadContext(NamedTuple):
    owner: Owner
    budget_tokens: int


class ReadContext(_ReadContext, Operation[Context]):
    """Render the newest working items that fit in a token budget."""

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


class WatchPage(NamedTuple):
    """Entries in rising `seq`, and the cursor to watch on from; what lies between did not match."""

    entries: tuple[Entry, ...]
    cursor: int


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

    Answered at once when there are any. `prefix` is that of a public entry's key: with it no other
    entry matches. It writes nothing and keeps nothing, so it travels outside of the lanes.
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


HostOperation = Note | Recollect | ReadContext | Post | Read
