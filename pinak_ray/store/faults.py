"""Which database errors pass by themselves, and which are the item's own fault."""

import asyncpg

from pinak_ray.records.errors import Unavailable

__all__ = ["CONNECTION_LOST", "is_transient"]

CONNECTION_LOST = (
    OSError,  # the socket is gone: ConnectionError and FileNotFoundError among them
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
"""What a query meets when its server goes away or is not there yet."""

_TRANSIENT = (
    *CONNECTION_LOST,
    TimeoutError,
    asyncpg.InterfaceError,  # "connection is closed", "another operation is in progress"
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,  # too many connections, out of memory or disk
    asyncpg.TransactionRollbackError,  # deadlock, serialization failure
    asyncpg.InternalClientError,
    Unavailable,
)


def is_transient(error: BaseException) -> bool:
    """Return True if the same call may well succeed later, unchanged."""
    return isinstance(error, _TRANSIENT)
