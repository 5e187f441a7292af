"""The Writer gives each namespace its turn: one tenant's bulk holds up nobody else."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest

from pinak_ray.actors.writer import Writer
from pinak_ray.embedding import EmbedderSpec
from pinak_ray.records.errors import Overloaded
from pinak_ray.records.memory.links import LinkKind, change_link
from pinak_ray.records.memory.memories import Memory, new_memory
from pinak_ray.records.operations import Forget
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.services.config import StackConfig
from pinak_ray.store.database import Database
from pinak_ray.store.memories.memories import encode_memory
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

BULKY, SMALL = 7, 8
Lock: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
EVE = Owner(SMALL, Space.AGENT, "eve")


@pytest.fixture
async def writer(dsn: str) -> AsyncIterator[Writer]:
    """A Writer of one lane and few places, without Indexers."""
    opened = Writer(StackConfig(dsn, EmbedderSpec(), writer_lanes=1, writer_capacity=1_000), ())
    await opened.ping()
    yield opened
    await opened.drain()


@pytest.fixture
async def lock(dsn: str) -> AsyncIterator[Lock]:
    """A connection that holds the memories' table, as a migration would, until it rolls back."""
    connection = await asyncpg.connect(dsn, timeout=30)
    await connection.execute("BEGIN; LOCK TABLE pinak.memories IN EXCLUSIVE MODE")
    yield connection
    await connection.close()


def memories(namespace_id: int, count: int, text: str = "of a bulk") -> list[Memory]:
    """Return memories of one namespace."""
    return [new_memory(namespace_id, "ada", f"{text} {n}") for n in range(count)]


def rows(*given: Memory) -> list[bytes]:
    """Return memories as a client sends them."""
    return [encode_memory(memory).row for memory in given]


async def queued(writer: Writer, depth: int) -> None:
    """Return once so many memories wait or are on their way."""

    async def are_there() -> bool:
        return bool((await writer.ping())["queue_depth"] == depth)

    await until(are_there, what=f"{depth} memories are in the writer")


async def commits(database: Database) -> list[dict[int, int]]:
    """Return of each commit, in order, how many memories it stored of each namespace."""
    async with database.service() as connection:
        found = await connection.fetch(
            "SELECT xmin::text::bigint AS commit, namespace_id, count(*) AS memories "
            "FROM pinak.memories GROUP BY 1, 2 ORDER BY 1"
        )
    made: dict[int, dict[int, int]] = {}
    for row in found:
        made.setdefault(row["commit"], {})[row["namespace_id"]] = row["memories"]
    return list(made.values())


async def test_a_bulk_holds_up_no_other_tenant(
    database: Database, writer: Writer, lock: Lock
) -> None:
    """Another's one memory is in the next commit, of which the bulk has at most half."""
    first = asyncio.create_task(writer.write(rows(*memories(BULKY, 1))))
    await queued(writer, 1)
    bulk = [asyncio.create_task(writer.write(rows(*memories(BULKY, 100)))) for _ in range(4)]
    await queued(writer, 401)
    other = asyncio.create_task(writer.write(rows(*memories(SMALL, 1, "of another"))))
    await queued(writer, 402)
    await lock.execute("ROLLBACK")
    await asyncio.gather(first, other, *bulk)

    one, turn, *rest = await commits(database)
    assert one == {BULKY: 1}
    assert turn == {BULKY: 128, SMALL: 1}
    assert [each.keys() for each in rest] == [{BULKY}] * len(rest)
    assert sum(each[BULKY] for each in rest) == 272


async def test_a_batch_of_two_namespaces_is_stored_in_their_turns(
    database: Database, writer: Writer
) -> None:
    """A caller's mixed rows join both lines, and it hears of each row under its own index."""
    theirs, ours = memories(BULKY, 300), memories(SMALL, 100, "of another")
    await writer.write(rows(theirs[7], ours[3]))
    mixed = [row for pair in zip(rows(*theirs[:100]), rows(*ours), strict=True) for row in pair]
    fates = await writer.write([*mixed, *rows(*theirs[100:])]) or {}

    assert {index: fate.id for index, fate in fates.items()} == {14: theirs[7].id, 7: ours[3].id}
    async with database.service() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pinak.memories") == 400


@pytest.mark.parametrize("kind", ["write", "accept"])
async def test_a_namespace_that_fills_its_share_is_overloaded_alone(
    database: Database,
    writer: Writer,
    lock: Lock,
    kind: str,
) -> None:
    """At half of the queue it is told to come again, and others are taken as ever."""
    first = asyncio.create_task(writer.write(rows(*memories(BULKY, 1))))
    await queued(writer, 1)
    held = [asyncio.create_task(writer.write(rows(*memories(BULKY, 125)))) for _ in range(4)]
    await queued(writer, 501)
    with pytest.raises(Overloaded, match="500 items of this namespace"):
        await getattr(writer, kind)(rows(*memories(BULKY, 1)))
    await writer.accept(rows(*memories(SMALL, 150, "of another")))
    with pytest.raises(Overloaded):
        await writer.accept(rows(*memories(SMALL, 101)))
    await lock.execute("ROLLBACK")
    await asyncio.gather(first, *held)
    await queued(writer, 0)
    await getattr(writer, kind)(rows(*memories(BULKY, 1)))
    await queued(writer, 0)

    totals = [sum(each.get(whose, 0) for each in await commits(database)) for whose in (7, 8)]
    assert totals == [502, 150]


HOLD_THE_LAST = """
CREATE FUNCTION pinak.hold() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END$$;
CREATE TRIGGER hold BEFORE INSERT ON pinak.memories FOR EACH ROW
WHEN (NEW.content = 'of a bulk 499') EXECUTE FUNCTION pinak.hold();
SELECT pg_advisory_lock(42);
"""


async def test_who_changes_a_memory_waits_for_its_own_namespace(
    database: Database, writer: Writer, lock: Lock
) -> None:
    """A memory that was accepted behind a bulk is forgotten while the bulk is not stored yet."""
    first = asyncio.create_task(writer.write(rows(*memories(BULKY, 1))))
    await queued(writer, 1)
    held = asyncio.create_task(writer.write(rows(*memories(BULKY, 500))))
    await queued(writer, 501)
    memory = new_memory(SMALL, "eve", "gone soon")
    await writer.accept(rows(memory))
    await lock.execute(HOLD_THE_LAST)
    await lock.execute("COMMIT")

    assert (await writer.forget(Forget(EVE, memory.id))).new
    assert not held.done()
    await lock.execute("SELECT pg_advisory_unlock(42)")
    await asyncio.gather(first, held)


async def test_links_of_two_namespaces_in_one_call(writer: Writer) -> None:
    """They stand in a line each, and their fates come back under the indexes of the call."""
    pairs = {whose: memories(whose, 2) for whose in (BULKY, SMALL)}
    changes = [
        change_link(whose, "ada", one.id, other.id, LinkKind.FIXES, 0.5)
        for whose, (one, other) in pairs.items()
    ]
    await writer.write(rows(*(memory for pair in pairs.values() for memory in pair)))
    fates = await writer.change_links([*changes, changes[0]]) or {}

    assert list(fates) == [2]
