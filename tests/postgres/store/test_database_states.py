"""What the state of the database refuses is nobody's fault: it waits, and is stored later."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from pinak_ray.actors.writer import Writer
from pinak_ray.agents.host import Host
from pinak_ray.embedding import EmbedderSpec
from pinak_ray.records.errors import DatabaseUnavailable, InvalidInput
from pinak_ray.records.memory.memories import Ack, new_memory
from pinak_ray.records.memory.revisions import new_revision
from pinak_ray.records.operations import Forget, Note, Revise
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.services.config import StackConfig
from pinak_ray.store.agent_state import AgentState
from pinak_ray.store.database import Database
from pinak_ray.store.memories.memories import encode_memory
from tests.support.taken import ALONE, EVERY, taken
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

ADA = Owner(7, Space.AGENT, "ada")
TABLES = ("memories", "working_items", "memory_links")
REFUSE = """
CREATE FUNCTION pinak.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'of this server' USING ERRCODE = '{}'; END$$
"""


@asynccontextmanager
async def admin(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Lend a connection outside of the pools."""
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        yield connection
    finally:
        await connection.close()


async def refuse(dsn: str, sqlstate: str) -> None:
    """Have the server refuse every write with this state."""
    async with admin(dsn) as connection:
        await connection.execute(REFUSE.format(sqlstate))
        for table in TABLES:
            await connection.execute(
                f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON pinak.{table} "
                "EXECUTE FUNCTION pinak.refuse()"
            )


async def relent(dsn: str) -> None:
    """Have the server take writes again."""
    async with admin(dsn) as connection:
        await connection.execute("DROP FUNCTION pinak.refuse CASCADE")


async def contents(database: Database) -> list[str]:
    """Return what is stored, in the order of ids, which is that of making."""
    async with database.service() as connection:
        rows = await connection.fetch("SELECT content FROM pinak.memories ORDER BY id")
    return [row["content"] for row in rows]


def rows(*texts: str) -> list[bytes]:
    """Return memories as a client sends them."""
    return [encode_memory(new_memory(7, "ada", text)).row for text in texts]


@pytest.fixture
async def writer(dsn: str) -> AsyncIterator[Writer]:
    """A Writer without Indexers, which has opened its pool."""
    opened = Writer(StackConfig(dsn, EmbedderSpec()), ())
    await opened.ping()
    yield opened
    await opened.drain()


@pytest.mark.parametrize(
    "sqlstate",
    ["25006", "28000", "42501", "0A000", "53100", "55000", "55P03", "58030", "XX000", "ZX123"],
)  # fmt: skip
async def test_a_write_waits_for_the_server(
    dsn: str, database: Database, writer: Writer, sqlstate: str
) -> None:
    """Durable and accepted alike, of one batch or many; and `ping` says what they wait for."""
    await refuse(dsn, sqlstate)
    waiting = asyncio.create_task(writer.write(rows("durable 1", "durable 2")))
    await writer.accept(rows("accepted"))
    said = await until(
        lambda: delayed(writer), what="the first try was refused, and the part says so"
    )
    await relent(dsn)

    assert sqlstate in said
    assert await waiting is None
    await until(lambda: quiet(writer), what="what was accepted is stored")
    assert sorted(await contents(database)) == ["accepted", "durable 1", "durable 2"]
    assert not await delayed(writer)


async def delayed(writer: Writer) -> str:
    """Return what the Writer says that it waits for."""
    return str((await writer.ping()).get("delayed", ""))


async def quiet(writer: Writer) -> bool:
    """Return whether nothing waits any more."""
    return not (await writer.ping())["queue_depth"]


async def test_only_the_bad_row_is_blamed(dsn: str, database: Database, writer: Writer) -> None:
    """Of a batch that meets both, the state of the server costs time and the bad row its place."""
    good, bad, other = rows("good", "bad", "other")
    bad = bad.replace(b"bad", b"b\0d")  # as no client of ours would send it
    await refuse(dsn, "53200")
    waiting = asyncio.create_task(writer.write([good, bad, other]))
    await until(lambda: delayed(writer), what="the first try was refused")
    await relent(dsn)
    fates = await waiting or {}

    assert [(1, InvalidInput)] == [(index, type(fate)) for index, fate in fates.items()]
    assert sorted(await contents(database)) == ["good", "other"]


async def test_changes_say_what_the_server_lacks(dsn: str, writer: Writer) -> None:
    """Revise, forget and link hear the cause as Unavailable, and change nothing."""
    memory = new_memory(7, "ada", "port is 1")
    await writer.write([encode_memory(memory).row])
    await refuse(dsn, "25006")
    with pytest.raises(DatabaseUnavailable, match="takes no writes now"):
        await writer.revise(Revise(new_revision(7, "ada", memory.id, "port is 2"), Ack.DURABLE), 0)
    with pytest.raises(DatabaseUnavailable, match="takes no writes now"):
        await writer.forget(Forget(ADA, memory.id))
    await relent(dsn)

    assert (await writer.forget(Forget(ADA, memory.id))).new


async def test_accepted_notes_outlive_an_outage(dsn: str, database: Database) -> None:
    """A host keeps what it accepted and stores it in order; a durable note behind it waits too."""
    state = await taken(database, "host-0")
    host = Host(state, ALONE, EVERY)
    await refuse(dsn, "53100")
    accepted = [Note(ADA, f"k{n}", b"1", uuid4(), ack=Ack.ACCEPTED) for n in range(20)]
    receipts = await host.apply(accepted)
    durable = asyncio.create_task(host.apply([Note(ADA, "last", b"2", uuid4())]))
    said = await until(lambda: state.delays, what="the host says what it waits for")
    await relent(dsn)
    (last,) = await durable
    await host.aclose()
    (snapshot,) = await state.load([ADA])

    assert "no disk space" in said["delayed"]
    assert [receipt.ack for receipt in (*receipts, last)] == [Ack.ACCEPTED] * 20 + [Ack.DURABLE]
    assert {item.key for item in snapshot.items} == {"last", *(f"k{n}" for n in range(20))}


async def test_an_accepted_note_is_kept_past_the_time_of_others(
    dsn: str, database: Database
) -> None:
    """Who waits for a receipt hears after its time why; what was accepted is stored then."""
    state = await taken(database, "host-0")
    state._commits.retry_for_s = 0.0
    host = Host(state, ALONE, EVERY)
    await refuse(dsn, "55P03")
    await host.apply([Note(ADA, "kept", b"1", uuid4(), ack=Ack.ACCEPTED)])
    (refused,) = await host.apply([Note(ADA, "other", b"1", uuid4())])
    await relent(dsn)
    await host.aclose()

    assert isinstance(refused, DatabaseUnavailable)
    assert "lock" in str(refused)
    assert "kept" in {item.key for item in (await state.load([ADA]))[0].items}


async def test_a_demoted_server_is_left(dsn: str, server_dsn: str) -> None:
    """A session that takes no writes keeps that for ever: both pools look for a server again."""
    name = urlsplit(dsn).path.removeprefix("/")
    async with admin(server_dsn) as connection:
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        async with await Database.open(dsn, service_connections=1, reader_connections=1) as opened:
            before = await sessions(opened)
            await connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            with pytest.raises(DatabaseUnavailable, match="takes no writes now"):
                await store_one(opened)
            await store_one(opened)
            after = await sessions(opened)

    assert not before & after


async def sessions(database: Database) -> set[int]:
    """Return the server's process ids of both pools' connections."""
    pids = set()
    async with database.service() as service, database.reading(7) as reader:
        for connection in (service, reader):
            pids.add(await connection.fetchval("SELECT pg_backend_pid()"))
    return pids


async def store_one(database: Database) -> None:
    """Write something."""
    async with database.service() as connection:
        await connection.execute("INSERT INTO pinak.namespaces (tenant, project) VALUES ('a', 'b')")


async def test_a_missing_table_is_no_fault_of_the_caller(dsn: str, database: Database) -> None:
    """While somebody restores a table, callers hear that it is missing, and go on afterwards."""
    async with admin(dsn) as connection:
        await connection.execute("ALTER TABLE pinak.working_items RENAME TO elsewhere")
    state: AgentState = await taken(database, "host-0")
    with pytest.raises(DatabaseUnavailable, match="lacks a table"):
        await state.load([ADA])
    async with admin(dsn) as connection:
        await connection.execute("ALTER TABLE pinak.elsewhere RENAME TO working_items")

    assert len(await state.load([ADA])) == 1


async def test_no_server_is_the_state_of_a_part(tmp_path: Path) -> None:
    """Opening a pool where nothing listens is Unavailable, whatever the socket said."""
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / ".s.PGSQL.5432"))
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            await Database.open(f"postgresql://a@/b?host={tmp_path}&port=5432")
