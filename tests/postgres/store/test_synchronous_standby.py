"""With a synchronous standby a receipt for what was there waits for it, as a new one does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from pinak_ray.records.memory.links import LinkChange, LinkKind
from pinak_ray.records.memory.memories import Memory, new_memory
from pinak_ray.records.memory.revisions import Revision, new_revision
from pinak_ray.records.operations import Note, Origin
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory
from pinak_ray.store.memories.links import commit_links
from pinak_ray.store.memories.memories import Duplicate, commit_memories, encode_memory
from tests.support.taken import a_host_over, taken
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

ADA = Owner(7, Space.AGENT, "ada")
# At least $2 sessions of this database.
WAITING = """
SELECT count(*) >= $2::int FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = $1
"""


class Repeated:
    """Calls that were made once, and are made again: each with what it says the second time."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.memory: Memory = new_memory(7, "ada", "port is 1")
        self.other: Memory = new_memory(7, "ada", "port is 9")
        self.revision: Revision = new_revision(7, "ada", self.other.id, "port is 8")
        self.link = LinkChange(
            7, self.memory.id, self.revision.memory.id, LinkKind.FIXES, 1.0, "ada"
        )
        self.note = Note(ADA, "k", b"1", uuid4())
        self.origin = Origin(uuid4(), 1)

    async def remember(self) -> Any:
        return await commit_memories(self.database, [encode_memory(self.memory)])

    async def revise(self) -> Any:
        return await revise_memory(self.database, self.revision, model_id=0)

    async def forget(self) -> Any:
        return await forget_memory(self.database, 7, uuid4())

    async def change_link(self) -> Any:
        return await commit_links(self.database, [self.link])


@pytest.fixture
async def repeated(dsn: str) -> AsyncIterator[Repeated]:
    """What was stored before a standby was asked for that does not exist."""
    name = name_of(dsn)
    admin = await asyncpg.connect(dsn, timeout=30)
    await admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    async with await Database.open(dsn, service_connections=4) as database:
        calls = Repeated(database)
        await calls.remember()
        await commit_memories(database, [encode_memory(calls.other)])
        await calls.revise()
        await calls.change_link()
        await a_host_over(await taken(database)).apply([calls.note], calls.origin)
        try:
            async with a_commit_waits(admin, dsn):
                yield calls
        finally:
            await nobody_is_asked_for(admin)
    await admin.close()


@asynccontextmanager
async def a_commit_waits(
    admin: "asyncpg.Connection[asyncpg.Record]", dsn: str
) -> AsyncIterator[None]:
    """Ask for a standby that does not exist, and hold a commit that waits for it.

    The setting alone does not show that: the checkpointer, who makes commits wait, reads it later.
    """
    await admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    await admin.execute("SELECT pg_reload_conf()")
    probe = await asyncpg.connect(dsn, timeout=30)

    async def commit() -> None:
        while True:
            await probe.execute("SELECT pg_logical_emit_message(true, 'test', '')")

    committing = asyncio.ensure_future(commit())
    try:
        await until(lambda: admin.fetchval(WAITING, name_of(dsn), 1), what="a commit waits")
        yield
    finally:
        committing.cancel()
        await asyncio.wait([committing])
        probe.terminate()


def name_of(dsn: str) -> str:
    """Return the database's name."""
    return urlsplit(dsn).path.removeprefix("/")


async def nobody_is_asked_for(admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let all commits go that wait for a standby."""
    await admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
    await admin.execute("SELECT pg_reload_conf()")


CALLS: list[Callable[[Repeated], Awaitable[Any]]] = [
    Repeated.remember,
    Repeated.revise,
    Repeated.forget,
    Repeated.change_link,
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
async def test_a_repeated_call_waits_for_the_standby(
    repeated: Repeated, dsn: str, call: Callable[[Repeated], Awaitable[Any]]
) -> None:
    """The first try may have been stored here only: no receipt before the standby has it."""
    name = name_of(dsn)
    admin = await asyncpg.connect(dsn, timeout=30)
    again = asyncio.ensure_future(call(repeated))
    await until(lambda: admin.fetchval(WAITING, name, 2), what="the commit waits for the standby")

    assert not again.done()
    await nobody_is_asked_for(admin)
    said = await again
    known = (False, (repeated.revision.memory.id, False))
    assert said in known or [type(fate) for fate in said.values()] == [Duplicate]
    await admin.close()


async def test_a_host_that_repeats_its_receipts_waits_too(repeated: Repeated, dsn: str) -> None:
    """What it finds committed under an operation's id is a receipt only with the standby."""
    name = name_of(dsn)
    admin = await asyncpg.connect(dsn, timeout=30)
    state = asyncio.ensure_future(taken(repeated.database))
    await until(lambda: admin.fetchval(WAITING, name, 2), what="taking the shards waits, a write")
    await nobody_is_asked_for(admin)
    host = a_host_over(await state)
    async with a_commit_waits(admin, dsn):
        again = asyncio.ensure_future(host.apply([repeated.note], repeated.origin, retried=True))
        await until(lambda: admin.fetchval(WAITING, name, 2), what="the receipts wait for it too")

        assert not again.done()
        await nobody_is_asked_for(admin)
        (receipt,) = await again
    assert receipt.id == repeated.note.id
    await admin.close()
