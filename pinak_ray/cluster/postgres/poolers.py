"""Whether something between us and the server lends one session to many clients.

What a session is told (its role, its namespace) then ends up with another client, silently. A
pooler that keeps a session for each client, or a proxy, is told from it by what sessions keep.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, TypeAlias

import asyncpg

from pinak_ray.store.connecting import connect

__all__ = ["pooler_fault"]

# A pooler lends the session that was given back last, or that idles longest: so many others, each
# within a transaction, take it from whoever had it.
_OTHERS = 4
_PROBE = "pinak_probe"
_PID = "SELECT pg_backend_pid()"
_MIXES = "lends one session to many clients, and mixes up what each may see"

_Session: TypeAlias = "asyncpg.Connection[Any]"


async def pooler_fault(dsn: str, *, timeout_s: float) -> str | None:
    """Return what a pooler in the server's place does wrong; None where sessions are our own.

    Raises what asyncpg raises for a server that does not answer.
    """
    async with AsyncExitStack() as opened:
        session = partial(_session, opened, dsn, timeout_s)
        ours = await session()
        # A pooler tells a number of its own for the server's process, to cancel statements by.
        if await ours.fetchval(_PID) == ours.get_server_pid():
            return None
        try:
            told = await session(search_path=_PROBE)
            if await told.fetchval("SELECT current_setting('search_path')") != _PROBE:
                return "drops what a session is started with, and with it the reading role"
        except asyncpg.PostgresError as error:
            return f"refuses what a session is started with ({error})"
        return await _mixing_fault(ours, session)


async def _session(opened: AsyncExitStack, dsn: str, timeout_s: float, **settings: str) -> _Session:
    times = {"timeout": timeout_s, "command_timeout": timeout_s}
    connection: _Session = await connect(
        dsn, statement_cache_size=0, server_settings=settings, **times
    )
    opened.callback(connection.terminate)
    return connection


async def _mixing_fault(ours: _Session, session: Callable[[], Awaitable[_Session]]) -> str | None:
    try:
        pid = await ours.fetchval(_PID)
        for _ in range(_OTHERS):
            await (await session()).execute("BEGIN")
            if await ours.fetchval(_PID) != pid:
                return _MIXES
    except TimeoutError:
        return "lends few sessions to many clients, which wait for one another"
    except asyncpg.InvalidSQLStatementNameError:  # another session was asked to run it
        return _MIXES
    return None
