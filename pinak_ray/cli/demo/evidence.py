"""What PostgreSQL holds, asked over the service's own connection: no client is believed here."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeAlias, TypeVar

import orjson

from pinak_ray.cli.demo.agents import Loaded, Noted
from pinak_ray.records.errors import Unavailable
from pinak_ray.store.database import Connection, Database

__all__ = ["Count", "Evidence"]

R = TypeVar("R")
_Question: TypeAlias = Callable[[Connection], Awaitable[R]]

_POLL_S = 0.1

_MEMORIES: Final = "SELECT id FROM pinak.memories WHERE namespace_id = $1 AND id = ANY ($2::uuid[])"
# The same incident under two ids is a write that happened twice.
_MEMORIES_TWICE: Final = """
SELECT count(*) - count(DISTINCT details->>'incident')
FROM pinak.memories WHERE namespace_id = $1 AND details ? 'incident'
"""
_UNINDEXED: Final = """
SELECT count(*) FROM unnest($2::uuid[]) AS wanted (id)
WHERE NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = $1 AND v.kind = 0 AND v.memory_id = wanted.id)
"""
# Each key of a run is written once, so a version above 1 is a note that was applied twice.
_NOTES: Final = """
SELECT agent, key, value, version FROM pinak.working_items
WHERE namespace_id = $1 AND starts_with(key, $2)
"""
_NOTE_COUNT: Final = """
SELECT count(*) FROM pinak.working_items WHERE namespace_id = $1 AND starts_with(key, $2)
"""
_POSTS: Final = """
SELECT id, owner, content FROM pinak.entries
WHERE namespace_id = $1 AND space = 'agent' AND starts_with(content, $2)
"""


class Count(NamedTuple):
    """Acknowledged writes of one kind, and what became of them."""

    acknowledged: int
    found: int
    duplicated: int

    @property
    def lost(self) -> int:
        """Acknowledged, and not there."""
        return self.acknowledged - self.found


class Evidence:
    """Questions to the database about one namespace; blocking, a connection a question."""

    def __init__(self, dsn: str, namespace_id: int) -> None:
        self._dsn = dsn
        self._namespace_id = namespace_id

    def await_searchable(self, loaded: Sequence[Loaded], *, timeout_s: float = 60.0) -> float:
        """Return the seconds until every memory had its vector; raises Unavailable."""
        ids = [one for agent in loaded for one in agent.ids.values()]

        async def missing(connection: Connection) -> bool:
            return bool(await connection.fetchval(_UNINDEXED, self._namespace_id, ids))

        return asyncio.run(self._await(missing, "the memories are not indexed", timeout_s))

    def await_notes(self, run: str, count: int, *, timeout_s: float = 60.0) -> float:
        """Return the seconds until so many notes of the run were committed."""

        async def missing(connection: Connection) -> bool:
            rows = await connection.fetchval(_NOTE_COUNT, self._namespace_id, run)
            return int(rows) < count

        return asyncio.run(self._await(missing, "the agents take no notes", timeout_s))

    def memories(self, loaded: Sequence[Loaded]) -> Count:
        """Look up every acknowledged memory."""
        ids = [one for agent in loaded for one in agent.ids.values()]

        async def ask(connection: Connection) -> Count:
            rows = await connection.fetch(_MEMORIES, self._namespace_id, ids)
            twice = await connection.fetchval(_MEMORIES_TWICE, self._namespace_id)
            return Count(len(ids), len({row["id"] for row in rows} & set(ids)), int(twice))

        return asyncio.run(self._ask(ask))

    def notes(self, run: str, noted: Sequence[Noted]) -> Count:
        """Look up every acknowledged note, its value and its version."""
        wanted = {(one.agent, key): step for one in noted for key, step in one.notes.items()}

        async def ask(connection: Connection) -> Count:
            rows = await connection.fetch(_NOTES, self._namespace_id, run)
            held = {(row["agent"], row["key"]): orjson.loads(row["value"]) for row in rows}
            found = sum(held.get(address) == {"step": step} for address, step in wanted.items())
            return Count(len(wanted), found, sum(row["version"] - 1 for row in rows))

        return asyncio.run(self._ask(ask))

    def posts(self, run: str, noted: Sequence[Noted]) -> Count:
        """Look up every acknowledged scratchpad entry, and those that are there twice."""
        wanted = {post: text for one in noted for post, text in one.posts.items()}

        async def ask(connection: Connection) -> Count:
            rows = await connection.fetch(_POSTS, self._namespace_id, run)
            held = {row["id"]: row["content"] for row in rows}
            found = sum(held.get(post) == text for post, text in wanted.items())
            distinct = {(row["owner"], row["content"]) for row in rows}
            return Count(len(wanted), found, len(rows) - len(distinct))

        return asyncio.run(self._ask(ask))

    async def _ask(self, question: _Question[Count]) -> Count:
        async with await self._open() as database, database.service() as connection:
            return await question(connection)

    async def _await(self, missing: _Question[bool], what: str, timeout_s: float) -> float:
        began = time.monotonic()
        async with await self._open() as database, database.service() as connection:
            while await missing(connection):
                if time.monotonic() - began > timeout_s:
                    raise Unavailable(f"{what} after {timeout_s:.0f} s; see `pinak-ray doctor`")
                await asyncio.sleep(_POLL_S)
        return time.monotonic() - began

    async def _open(self) -> Database:
        return await Database.open(self._dsn, service_connections=1, name="pinak-ray demo")
