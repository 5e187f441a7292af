"""Links: made by hand and by likeness, followed both ways, gone with either memory."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from pinak_ray.recall.linked import expanded, find_related
from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.memory.links import LinkChange, LinkKind, Related, change_link, new_related
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.records.memory.recall import Filters, RecallResult, new_recall
from pinak_ray.records.operations import ReadRelated
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.memories.links import commit_links, link_some, unlinked
from pinak_ray.store.memories.memories import Duplicate
from pinak_ray.store.queries import query
from tests.support.graphs import KINDS, plainly_related, random_links
from tests.support.indexed import encode, fetch
from tests.support.remembered import EMBEDDER, expire, register, remember, remember_all

pytestmark = pytest.mark.postgres

NAMESPACE = 7
LINKS = "SELECT from_id, to_id, kind, strength, author FROM pinak.memory_links"


def change(
    from_id: UUID,
    to_id: UUID,
    strength: float | None = 1.0,
    *,
    kind: LinkKind = LinkKind.SUPPORTS,
    namespace_id: int = NAMESPACE,
) -> LinkChange:
    """Return a change by ada."""
    return change_link(namespace_id, "ada", from_id, to_id, kind, strength)


async def some(database: Database, count: int, **fields: Any) -> list[UUID]:
    """Store memories and return their ids."""
    memories = [new_memory(NAMESPACE, "ada", f"note {n}", **fields) for n in range(count)]
    return await remember_all(database, memories)


async def related(database: Database, memory_id: UUID, **options: Any) -> tuple[Related, ...]:
    """Follow links as a recaller does."""
    return await find_related(database, ReadRelated(NAMESPACE, new_related(memory_id, **options)))


async def embedded(database: Database, **options: Any) -> None:
    """Index all that is owed."""
    model_id = await register(database)
    while (await index_some(database, encode, model_id=model_id, **options)).rows:
        pass


async def linked(database: Database) -> int:
    """Link all that waits for it; return how many memories."""
    model_id, done = await register(database), 0
    while some := await link_some(database, model_id=model_id, knows=EMBEDDER.knows):
        done += some
    return done


async def test_a_link_is_made_once_and_its_strength_replaced(database: Database) -> None:
    """The same again changes nothing, another strength takes the old one's place."""
    one, two = await some(database, 2)
    fates = [
        await commit_links(database, [change(one, two, strength)]) for strength in (0.5, 0.5, 0.7)
    ]

    assert fates[0] == {}
    assert [type(fate[0]) for fate in fates[1:]] == [Duplicate, Duplicate]
    assert await fetch(database, LINKS) == [(one, two, "supports", 0.7, "ada")]


async def test_a_batch_applies_in_its_order(database: Database) -> None:
    """Made, removed, and made again in one batch: each learns its own fate."""
    one, two, three = await some(database, 3)
    fates = await commit_links(
        database,
        [
            change(one, two, 0.5),
            change(one, two, None),
            change(one, two, None),
            change(one, two, 0.6),
            change(two, three, None),
            change(one, uuid4()),
            change(two, three),
        ],
    )

    assert {index: type(fate) for index, fate in fates.items()} == {
        2: Duplicate, 4: Duplicate, 5: NotFound,
    }  # fmt: skip
    assert {row[3] for row in await fetch(database, LINKS)} == {0.6, 1.0}


async def test_what_is_not_there_cannot_be_linked(database: Database) -> None:
    """Unknown, expired, and another namespace's memories are refused, each alone."""
    one, two, dead = await some(database, 3)
    await expire(database, dead)
    foreign = await remember(database, NAMESPACE + 1, "theirs")
    fates = await commit_links(
        database,
        [
            change(one, uuid4()),
            change(dead, one),
            change(one, foreign),
            change(one, two, namespace_id=NAMESPACE + 1),
            change(one, two),
        ],
    )

    assert {index: type(fate) for index, fate in fates.items()} == dict.fromkeys(range(4), NotFound)
    assert [row[:2] for row in await fetch(database, LINKS)] == [(one, two)]


@pytest.mark.parametrize("seed", range(6))
async def test_related_is_what_a_plain_walk_finds(database: Database, seed: int) -> None:
    """On random graphs: the same memories, depths and strengths, strongest first."""
    chance = random.Random(seed)
    ids = await some(database, 12)
    links = random_links(seed, ids)
    changes = [change(a, b, strength, kind=kind) for (a, b, kind), strength in links.items()]
    assert await commit_links(database, changes) == {}

    for depth in range(1, 5):
        bounds = {
            "depth": depth,
            "min_strength": chance.choice([0.0, 0.3, 0.6]),
            "kinds": chance.choice([(), KINDS[:1], KINDS[:2]]),
        }
        start = chance.choice(ids)
        found = await related(database, start, k=200, **bounds)
        wanted = plainly_related(links, start, **bounds)

        assert {each.hit.id: (each.strength, each.depth) for each in found} == wanted
        order = [(-each.strength, each.depth, each.hit.id) for each in found]
        assert order == sorted(order)
        assert found[:3] == await related(database, start, k=3, **bounds)


async def test_dead_memories_are_neither_found_nor_passed(database: Database) -> None:
    """What has expired or was superseded ends the path; an unknown start is NotFound."""
    one, two, three, four = await some(database, 4)
    await commit_links(database, [change(one, two), change(two, three), change(one, four)])
    await expire(database, two)
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET superseded_by = $2 WHERE id = $1", four, three
        )

    assert await related(database, one, depth=4) == ()
    for unknown in (two, uuid4()):
        with pytest.raises(NotFound):
            await related(database, unknown)


async def test_links_go_with_either_memory(database: Database) -> None:
    """Expired at its start or at its end, no link is left behind."""
    one, two, three = await some(database, 3)
    await embedded(database)
    await commit_links(database, [change(one, two), change(two, three), change(three, one)])
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET expires_at = $2 WHERE id = $1",
            two,
            datetime.now(UTC) - timedelta(days=2),
        )
    await purge_expired(database)

    assert [row[:2] for row in await fetch(database, LINKS)] == [(three, one)]


async def test_a_namespace_follows_its_own_links_only(database: Database, dsn: str) -> None:
    """Neither the start, nor a link, nor the table crosses the wall; readers cannot write."""
    one, two = await some(database, 2)
    foreign = [await remember(database, NAMESPACE + 1, "theirs") for _ in range(2)]
    await commit_links(database, [change(one, two), change(*foreign, namespace_id=NAMESPACE + 1)])
    with pytest.raises(NotFound):
        await related(database, foreign[0])
    connection = await asyncpg.connect(dsn, server_settings={"role": "pinak_app"})
    try:
        await connection.execute(f"SELECT set_config('pinak.namespace_id', '{NAMESPACE}', false)")
        seen = await connection.fetch("SELECT DISTINCT namespace_id FROM pinak.memory_links")
        for statement in ("DELETE FROM pinak.memory_links", "SELECT FROM pinak.link_queue"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()

    assert [row[0] for row in seen] == [NAMESPACE]


async def test_similar_memories_are_linked_once_indexed(database: Database) -> None:
    """Each with the most similar ones of its namespace, the newer to the older, by their cosine."""
    locked = await remember(database, NAMESPACE, "orders are locked by migration")
    await remember(database, NAMESPACE, "weather report")
    foreign = await remember(database, NAMESPACE + 1, "orders are locked by migration")
    await embedded(database, auto_links=True)
    waiting = await unlinked(database)
    later = await remember(database, NAMESPACE, "migration orders are locked")
    await embedded(database, auto_links=True)

    assert (waiting, await linked(database), await unlinked(database)) == (3, 4, 0)
    ((start, end, kind, strength, author),) = await fetch(database, LINKS)
    assert (start, end, kind, author) == (later, locked, "similar", None)
    vectors = await EMBEDDER.embed(
        ["orders are locked by migration", "migration orders are locked"]
    )
    assert strength == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-3)
    for memory_id, other in ((locked, later), (later, locked)):
        (found,) = await related(database, memory_id)
        assert (found.hit.id, found.strength, found.link.author) == (other, strength, None)
    async with database.reading(NAMESPACE + 1):
        assert await find_related(database, ReadRelated(NAMESPACE + 1, new_related(foreign))) == ()


async def test_a_memory_is_linked_to_the_three_most_similar(database: Database) -> None:
    """However many are like it; a second pass finds the same links and adds none."""
    model_id = await register(database)
    for number in range(8):
        await remember(database, NAMESPACE, "orders are locked again " + "today " * number)
    await embedded(database, auto_links=True)
    await linked(database)
    links = await fetch(database, LINKS)
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.link_queue (namespace_ids, memory_ids) "
            "SELECT array_agg(namespace_id), array_agg(id) FROM pinak.memories"
        )
    again = await link_some(database, model_id=model_id, knows=EMBEDDER.knows)

    assert again == 8
    assert 8 <= len(links) <= 24
    assert await fetch(database, LINKS) == links


async def test_nothing_waits_where_automatic_links_are_off(database: Database) -> None:
    """Switched off, indexing queues nothing."""
    await remember(database, NAMESPACE, "orders are locked")
    await embedded(database)

    assert (await unlinked(database), await linked(database)) == (0, 0)


async def test_what_cannot_be_linked_is_dropped(database: Database) -> None:
    """One that is gone is passed over; one that fails for good is given up, not tried for ever."""
    model_id = await register(database)
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.link_queue (namespace_ids, memory_ids) VALUES ($1, $2)",
            [NAMESPACE],
            [uuid4()],
        )
    passed_over = await link_some(database, model_id=model_id, knows=EMBEDDER.knows)
    for _ in range(2):
        await remember(database, NAMESPACE, "orders are locked")
    await embedded(database, auto_links=True)
    async with database.service() as connection:
        await connection.execute("ALTER TABLE pinak.memory_links ADD CHECK (strength > 2)")
    with pytest.raises(InvalidInput):
        await linked(database)

    assert (passed_over, await unlinked(database)) == (1, 0)


async def test_two_indexers_share_the_queue(database: Database) -> None:
    """Together they link every memory once."""
    model_id = await register(database)
    for _ in range(4):
        await some(database, 6)
        await embedded(database, auto_links=True)
    done = await asyncio.gather(
        *(link_some(database, model_id=model_id, knows=EMBEDDER.knows) for _ in range(4))
    )

    assert sum(done) + await linked(database) == 24


async def test_an_expansion_passes_the_filters(database: Database) -> None:
    """Neighbours that the filters refuse are neither added nor passed."""
    one, two, three = await some(database, 3)
    (tagged,) = await some(database, 1, tags=["db"])
    await commit_links(database, [change(one, two, 0.5), change(one, tagged, 0.9)])
    await commit_links(database, [change(tagged, three)])
    (hit,) = [each.hit for each in await related(database, two)]
    result = RecallResult((hit,))
    wanted: dict[tuple[str, ...], list[UUID]] = {(): [tagged, three, two], ("db",): [tagged]}
    for tags, ids in wanted.items():
        request = new_recall("note", tags=tags, expand=2)
        whole = await expanded(database, NAMESPACE, request, result)

        assert [each.id for each in whole.hits] == [one, *ids]
        assert whole.hits[0] == hit
    assert (await expanded(database, NAMESPACE, new_recall("note"), result)) is result


async def test_a_step_reads_indexes_only(database: Database) -> None:
    """Whatever the size, both directions of links are looked up, never scanned."""
    ids = await some(database, 60)
    changes = [change(a, b) for a in ids for b in ids if a != b]
    await commit_links(database, changes)
    async with database.reading(NAMESPACE) as connection:
        await connection.execute("SET enable_seqscan = on")
        plan = "\n".join(
            row[0]
            for row in await connection.fetch(
                "EXPLAIN " + query("links", "neighbours"),
                NAMESPACE,
                ids[:2],
                [1.0, 1.0],
                ids[:2],
                None,
                0.0,
                200,
                200,
                *[None] * 11,
            )
        )

    assert "memory_links_pkey" in plan
    assert "memory_links_back" in plan
    assert "Seq Scan on memory_links" not in plan


def test_filters_have_as_many_fields_as_the_statement() -> None:
    """A filter that is added must be added to the step too."""
    assert len(Filters.__dataclass_fields__) == 11
