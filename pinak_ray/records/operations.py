"""Operations are values: every verb builds one, and a transport's only job is to carry it.

`Operation[R]` names the result type, so that `await agent.note(...)` and `agent.note.remote(...)`
type-check without saying it twice. Operations that a host applies carry their owner.
"""

from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from pinak_ray.records.memories import Ack, Memory, Receipt
from pinak_ray.records.nudges import Intent, Nudge
from pinak_ray.records.recall import RecallRequest, RecallResult
from pinak_ray.records.state import Entry, EntryKind, Owner, WorkingItem

__all__ = [
    "Context",
    "Dedicate",
    "HostOperation",
    "Intend",
    "Note",
    "Operation",
    "Origin",
    "Post",
    "Read",
    "ReadContext",
    "Recall",
    "Recollect",
    "Remember",
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


class _Recall(NamedTuple):
    namespace_id: int
    request: RecallRequest


class Recall(_Recall, Operation[RecallResult]):
    """Search the namespace's memories."""

    __slots__ = ()


class _Intend(NamedTuple):
    owner: Owner
    intent: Intent
    k: int = 1


class Intend(_Intend, Operation[tuple[Nudge, ...]]):
    """Say what the agent is about to do, and hear what failed like it."""

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


class _Dedicate(NamedTuple):
    owner: Owner
    dedicated: bool


class Dedicate(_Dedicate, Operation[None]):
    """Give an agent or a board a host of its own, or bring it back to the common ones."""

    __slots__ = ()


HostOperation = Note | Recollect | ReadContext | Post | Read
