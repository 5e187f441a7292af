"""Every error a caller can meet, in one tree.

PinakError
├── InvalidInput        bad input; nothing was stored                      HTTP 422
│   ├── WrongDimension  a vector of another length than the model's
│   └── IdempotencyMismatch  the key stands for another write
├── NotFound            the named thing does not exist                     HTTP 404
├── Conflict            the state is not what the caller expected          HTTP 409
│   ├── VersionConflict compare-and-set lost: carries the current version
│   └── Superseded      another memory took its place: carries which
├── Unauthorized        no token, or one that does not hold               HTTP 401
├── Forbidden           a valid token without the needed scope            HTTP 403
├── Overloaded          a bounded queue is full: carries retry_after_s     HTTP 503
├── NotSearchable       stored, but its text is refused by the model       HTTP 422
├── Unavailable         a part of the stack does not answer                HTTP 503
│   ├── NotRunning      no stack to join: says how to start one
│   ├── EmbedderUnavailable  the embedding endpoint takes no text: says why
│   ├── DatabaseUnavailable  PostgreSQL does not do its part: says why
│   ├── StaleEpoch      this host no longer owns the shard
│   └── WrongShard      another host owns the shard: carries the topology's version
└── SetupError          the machine or the database lacks something

Ray pickles an error by its positional arguments, so each class keeps plain positional ones and
`args` holds what `__init__` takes (`tests/unit/records/test_errors.py` holds every class to it).
"""

from typing import ClassVar
from uuid import UUID

__all__ = [
    "Conflict",
    "DatabaseUnavailable",
    "EmbedderUnavailable",
    "Forbidden",
    "IdempotencyMismatch",
    "InvalidInput",
    "NotFound",
    "NotRunning",
    "NotSearchable",
    "Overloaded",
    "PinakError",
    "SetupError",
    "StaleEpoch",
    "Superseded",
    "Unauthorized",
    "Unavailable",
    "VersionConflict",
    "WrongDimension",
    "WrongShard",
]


class PinakError(Exception):
    """Base of every error that pinak-ray raises on purpose."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else (self.__doc__ or "").strip()


class InvalidInput(PinakError):
    """The input breaks the contract; nothing was stored."""

    code = "invalid_input"
    status = 422


class WrongDimension(InvalidInput):
    """A vector's length differs from the model's dimension."""

    code = "wrong_dimension"


class IdempotencyMismatch(InvalidInput):
    """The idempotency key was used for another write; give this one a key of its own."""

    code = "idempotency_mismatch"


class NotFound(PinakError):
    """The named thing does not exist in this namespace."""

    code = "not_found"
    status = 404


class Conflict(PinakError):
    """The state is not what the caller expected."""

    code = "conflict"
    status = 409


class VersionConflict(Conflict):
    """A compare-and-set met another version than the expected one."""

    code = "version_conflict"

    def __init__(self, key: str, expected: int, current: int) -> None:
        super().__init__(key, expected, current)
        self.key = key
        self.expected = expected
        self.current = current

    def __str__(self) -> str:
        return f"{self.key!r} is at version {self.current}, not {self.expected}; read it and retry"


class Superseded(Conflict):
    """A memory was revised already: `successor` took its place."""

    code = "superseded"

    def __init__(self, memory_id: UUID, successor: UUID) -> None:
        super().__init__(memory_id, successor)
        self.memory_id = memory_id
        self.successor = successor

    def __str__(self) -> str:
        return f"{self.memory_id} was superseded by {self.successor}; revise that one"


class Unauthorized(PinakError):
    """The request carries no valid token."""

    code = "unauthorized"
    status = 401


class Forbidden(PinakError):
    """The token lacks the scope that this call needs."""

    code = "forbidden"
    status = 403


class Overloaded(PinakError):
    """A bounded queue is full; try again after `retry_after_s` seconds."""

    code = "overloaded"
    status = 503

    def __init__(self, what: str, retry_after_s: float = 1.0) -> None:
        super().__init__(what, retry_after_s)
        self.retry_after_s = retry_after_s


class NotSearchable(PinakError):
    """The memory is stored and found by its words, but the embedding model refuses its text."""

    code = "not_searchable"
    status = 422


class Unavailable(PinakError):
    """A part of the stack does not answer."""

    code = "unavailable"
    status = 503


class NotRunning(Unavailable):
    """No stack is running here; start one with `pinak-ray up`."""

    code = "not_running"


class EmbedderUnavailable(Unavailable):
    """The embedding endpoint takes no text now; the message says why. No client asks again.

    `passes`: it may go away by itself, where nothing has to be set up otherwise.
    """

    code = "embedder_unavailable"

    def __init__(self, what: str, passes: bool = False) -> None:
        super().__init__(what, passes)
        self.passes = passes


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not do its part now; the message says why, and the call may be repeated."""

    code = "database_unavailable"


class StaleEpoch(Unavailable):
    """This host no longer owns the shard it tried to write."""

    code = "stale_epoch"


class WrongShard(Unavailable):
    """This host does not own the owner's shard; `version` is the topology that it follows."""

    code = "wrong_shard"

    def __init__(self, what: str, version: int = 0) -> None:
        super().__init__(what, version)
        self.version = version


class SetupError(PinakError):
    """The machine or the database lacks something that is needed."""

    code = "setup"
