"""What of the database's errors is an item's own fault, and what is the state of a part."""

from typing import Final

import asyncpg

from pinak_ray.records.errors import (
    DatabaseUnavailable,
    InvalidInput,
    Overloaded,
    PinakError,
    Unavailable,
)

__all__ = ["DATABASE_ERRORS", "is_transient", "refusal", "translated"]

DATABASE_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,  # "connection is closed", "another operation is in progress"
    asyncpg.InternalClientError,  # no server with the wanted attributes, a protocol cut short
    OSError,  # the socket is gone: ConnectionError and FileNotFoundError among them
    TimeoutError,
)
"""Whatever a connection, or asking for one, raises."""

# A closed list, one by one: an error that is not here is the state of a part, also one that nobody
# has met yet. An item that waits in vain can be sent again; one that is blamed is lost.
_ITEMS_FAULT: Final = frozenset({
    "22000",  # data exception: pgvector's "expected 384 dimensions, not 3"
    "22001",  # a text too long for its column
    "22003",  # a number out of range
    "22007", "22008",  # no such date; one that a timestamp cannot hold
    "22021",  # a NUL, or bytes that are no UTF-8
    "22030", "22032",  # JSON with a key twice; no JSON
    "22P02", "22P03", "22P04",  # no such number, UUID, vector; a COPY row that is cut off
    "22P05",  # \\u0000 in JSON, which text cannot hold
    "23000", "23001", "23502", "23503", "23505", "23514", "23P01",  # what the tables hold to
    "54000",  # a value too large for its index or for a tsvector
    "54001",  # JSON nested deeper than the server's stack
})  # fmt: skip

_TRANSIENT: Final = (*DATABASE_ERRORS, Unavailable, Overloaded)

# By SQLSTATE, and where the whole class means the same by its first two characters. In our words:
# the server's name roles and addresses, which callers over HTTP are not told.
_WORDS: Final = {
    "25006": "takes no writes now: it is a standby, or was set so",
    "28": "does not let this role in: its password, its right to log in or pg_hba.conf was changed",
    "3D000": "has no such database (any more)",
    "40": "ended the transaction for the sake of another one",
    "42501": "does not give this role the right that it needs; `pinak-ray doctor` says which",
    "42P01": "lacks a table of this version; `pinak-ray up` migrates the database",
    "3F000": "lacks the schema; `pinak-ray up` migrates the database",
    "53100": "has no disk space left",
    "53200": "has no memory left",
    "53300": "has no connection left: raise max_connections (or the role's or the database's "
    "CONNECTION LIMIT), or run fewer gateways, hosts and recallers",
    "55P03": "did not get a lock that another session holds",
    "57014": "ended a statement that took longer than it may, or that somebody cancelled",
    "57": "is shutting down or starting up",
    "58": "has trouble with its files",
    "XX": "has an internal fault; its log says more",
}


def is_transient(error: BaseException) -> bool:
    """Return True if the same call may well succeed later, unchanged."""
    if isinstance(error, asyncpg.PostgresError):
        return error.sqlstate not in _ITEMS_FAULT
    return isinstance(error, _TRANSIENT)


def translated(error: Exception) -> PinakError:
    """Return one of `DATABASE_ERRORS` as what a caller is told."""
    if isinstance(error, PinakError):
        return error
    if not is_transient(error):
        return InvalidInput(
            f"the database refuses this: {getattr(error, 'message', None) or error}"
        )
    return refusal(error)


def refusal(error: Exception) -> DatabaseUnavailable:
    """Return what a caller is told of a connection that was not to be had: never its own fault."""
    return DatabaseUnavailable(f"PostgreSQL {_said(error)}")


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):  # an OSError too
        return "did not answer in time"
    if isinstance(error, asyncpg.PostgresConnectionError | OSError):
        return "does not answer, or went away"
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or "?"
        words = _WORDS.get(state) or _WORDS.get(state[:2]) or f"refuses: {error.message}"
        return f"{words} (SQLSTATE {state})"
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return "is a standby, and no primary answers at its address"
    return f"cannot be used: {error}"
