"""Back-fill: a registered model gets the vectors that it lacks, each once, while another serves."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest

from pinak_ray.embedding import EmbedderSpec, HashingEmbedder, encode_halfvec
from pinak_ray.records.errors import Conflict, Unavailable, WrongDimension
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.backfill import (
    Coverage,
    backfill_some,
    coverage_of,
    models_owing,
    note_error,
    sweep_some,
)
from pinak_ray.store.indexing.indexing import EncodeVectors, index_some
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.memories.given_vectors import commit_given
from pinak_ray.store.memories.memories import Duplicate, encode_memory
from pinak_ray.store.models.serving_model import (
    add_model,
    adopt_model,
    model_statuses,
    remove_model,
    roll_back,
    serving,
    serving_id,
    switch_to,
)
from tests.support.indexed import encode, fetch
from tests.support.remembered import EMBEDDER, remember_all
from tests.support.settling import settle_some

pytestmark = pytest.mark.postgres

NAMESPACE = 7
SECOND = HashingEmbedder(32)
OF_KIND = "SELECT memory_id FROM pinak.memory_vectors WHERE model_id = {} AND kind = {}"


def spec(dimension: int) -> EmbedderSpec:
    """Return how a hashing model is loaded."""
    return EmbedderSpec(kind="hashing", dimension=dimension)


async def encode_second(texts: Sequence[str]) -> Sequence[bytes]:
    """Embed by the second model."""
    return encode_halfvec(await SECOND.embed(texts)) if texts else []


@pytest.fixture
async def first(database: Database) -> int:
    """The model that serves."""
    await adopt_model(database, EMBEDDER.model, spec(EMBEDDER.model.dimension))
    model_id = await serving_id(database)
    assert model_id is not None
    return model_id


async def add_second(database: Database) -> int:
    """Register the second model and return its id."""
    return (await add_model(database, SECOND.model, spec(32))).id


async def say(database: Database, model_id: int, *texts: str, session: str | None = None) -> None:
    """Remember texts, and index them and their windows."""
    await remember_all(
        database, [new_memory(NAMESPACE, "ada", text, session=session) for text in texts]
    )
    await index(database, model_id)


async def index(database: Database, model_id: int, encoder: EncodeVectors = encode) -> None:
    """Index what is owed to the model that serves."""
    while (await index_some(database, encoder, model_id=model_id)).rows:
        pass
    while await settle_some(database, encoder, model_id=model_id, quiet_s=0.0):
        pass


async def backfill(
    database: Database, model_id: int, encoder: EncodeVectors = encode_second
) -> int:
    """Sweep and embed until nothing is owed; return in how many pieces."""
    pieces = 0
    while True:
        swept = await sweep_some(database)
        done = await backfill_some(database, model_id, encoder)
        pieces += done is not None
        if not swept and done is None:
            return pieces


async def vectors_of(database: Database, model_id: int, kind: int = 0) -> list[UUID]:
    """Return the memories that have this model's vector."""
    return [row[0] for row in await fetch(database, OF_KIND.format(model_id, kind))]


async def coverage(database: Database, model_id: int) -> Coverage:
    """Return how far a model is."""
    async with database.service() as connection:
        return await coverage_of(connection, model_id)


async def test_a_new_model_gets_every_vector_of_the_first(database: Database, first: int) -> None:
    """Own texts and windows, each with what the model itself computes for the same text."""
    await say(database, first, *(f"text {number}" for number in range(70)))
    await say(database, first, "kilo", "lima", "mike", "november", session="s")
    second = await add_second(database)
    before = await coverage(database, second)
    pieces = await backfill(database, second)
    after = await coverage(database, second)

    assert (before.wanted, before.missing, before.is_behind) == (78, 78, True)
    assert (after.missing, after.is_behind, after.share) == (0, False, 1.0)
    assert pieces == 4
    for kind in (0, 1):
        assert await vectors_of(database, first, kind) == await vectors_of(database, second, kind)
    rows = await fetch(
        database,
        "SELECT m.content, v.embedding FROM pinak.memory_vectors AS v JOIN pinak.memories AS m "
        f"ON m.id = v.memory_id WHERE v.kind = 1 AND v.model_id = {second}",
    )
    around = {
        "kilo": "ada: kilo\nada: lima",
        "lima": "ada: kilo\nada: lima\nada: mike",
        "mike": "ada: lima\nada: mike\nada: november",
        "november": "ada: mike\nada: november",
    }
    assert {content: bytes(vector) for content, vector in rows} == {
        content: (await encode_second([text]))[0] for content, text in around.items()
    }


async def test_what_comes_later_is_handed_on(database: Database, first: int) -> None:
    """Memories and windows of after the sweep reach every kept model."""
    second = await add_second(database)
    await backfill(database, second)
    await say(database, first, "one", "two", "three", session="s")
    behind = await coverage(database, second)
    await backfill(database, second)

    assert (behind.missing, behind.is_behind) == (6, False)  # on its way, as anything new
    assert len(await vectors_of(database, second)) == 3
    assert len(await vectors_of(database, second, 1)) == 3


async def test_a_crash_loses_no_place_and_repeats_nothing(database: Database, first: int) -> None:
    """What was embedded before it stays; the sweep goes on behind its last committed key."""
    await say(database, first, *(f"text {number}" for number in range(80)))
    second = await add_second(database)
    embedded: list[str] = []

    async def dies(texts: Sequence[str]) -> Sequence[bytes]:
        if len(embedded) >= 32:
            raise Unavailable("killed")
        embedded.extend(texts)
        return await encode_second(texts)

    async def goes_on(texts: Sequence[str]) -> Sequence[bytes]:
        embedded.extend(texts)
        return await encode_second(texts)

    with pytest.raises(Unavailable) as killed:
        await backfill(database, second, dies)
    await note_error(database, second, killed.value)
    halfway = await coverage(database, second)
    await backfill(database, second, goes_on)

    assert (halfway.missing, halfway.error) == (48, "killed")
    assert sorted(embedded) == sorted(f"text {number}" for number in range(80))
    assert (await coverage(database, second)).error is None


async def test_two_indexers_share_it(database: Database, first: int) -> None:
    """No text is embedded twice, though both work at once."""
    await say(database, first, *(f"text {number}" for number in range(200)))
    second = await add_second(database)
    embedded: list[str] = []

    async def counted(texts: Sequence[str]) -> Sequence[bytes]:
        embedded.extend(texts)
        await asyncio.sleep(0)
        return await encode_second(texts)

    await asyncio.gather(*(backfill(database, second, counted) for _ in range(3)))

    assert sorted(embedded) == sorted(f"text {number}" for number in range(200))
    assert len(await vectors_of(database, second)) == 200


async def test_the_sweep_waits_for_who_does_not_know_of_the_model(
    database: Database, dsn: str, first: int
) -> None:
    """What a transaction of before commits only later is found: the sweep begins after it."""
    connection = await asyncpg.connect(dsn)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO pinak.memories (namespace_id, id, agent, layer, content, content_hash) "
            "VALUES (7, gen_random_uuid(), 'ada', 'semantic', 'late', '')"
        )
        second = await add_second(database)
        await backfill(database, second)
        waiting = (await coverage(database, second)).is_behind
        await transaction.commit()
    finally:
        await connection.close()
    await backfill(database, second)

    assert waiting
    assert len(await vectors_of(database, second)) == 1


async def test_a_text_that_the_model_refuses_stands_alone(database: Database, first: int) -> None:
    """It is set aside and counted; all others are embedded, and a switch has to be forced."""
    await say(database, first, *(f"text {number}" for number in range(40)), "poison")
    second = await add_second(database)

    async def refuses(texts: Sequence[str]) -> Sequence[bytes | str]:
        vectors = zip(texts, await encode_second(texts), strict=True)
        return ["too long" if text == "poison" else vector for text, vector in vectors]

    await backfill(database, second, refuses)
    found = await coverage(database, second)

    assert (found.missing, found.set_aside, found.is_behind) == (1, 1, True)
    assert len(await vectors_of(database, second)) == 40
    with pytest.raises(Conflict, match="1 set aside"):
        await switch_to(database, second)
    await switch_to(database, second, force=True)
    assert await serving_id(database) == second


async def test_a_memory_that_went_meanwhile_leaves_no_vector(
    database: Database, first: int
) -> None:
    """It may expire while the model thinks about it."""
    await say(database, first, "stays", "goes")
    second = await add_second(database)

    async def slow(texts: Sequence[str]) -> Sequence[bytes]:
        async with database.service() as connection:
            await connection.execute(
                "UPDATE pinak.memories SET expires_at = now() WHERE content = 'goes'"
            )
        await purge_expired(database)
        return await encode_second(texts)

    await backfill(database, second, slow)

    assert len(await vectors_of(database, second)) == 1


async def test_a_switch_waits_for_the_back_fill(database: Database, first: int) -> None:
    """Before it ends the switch is refused; after it the other model serves."""
    await say(database, first, "one")
    second = await add_second(database)
    with pytest.raises(Conflict, match=r"0\.0%"):
        await switch_to(database, second)
    assert await serving_id(database) == first
    await backfill(database, second)
    await switch_to(database, second)
    with pytest.raises(Conflict, match="already"):
        await switch_to(database, second)
    kept = await serving(database)

    assert kept is not None
    assert (kept.model.id, kept.spec) == (second, spec(32))


async def test_the_previous_model_is_kept_complete(database: Database, first: int) -> None:
    """What comes after the switch has vectors of both, so that a rollback misses nothing."""
    await say(database, first, "before")
    second = await add_second(database)
    await backfill(database, second)
    await switch_to(database, second)
    await remember_all(database, [new_memory(NAMESPACE, "ada", "after", session="s")])
    await index(database, second, encode_second)
    assert await models_owing(database) == {first}
    await backfill(database, first, encode)
    back = await roll_back(database)

    assert back == first == await serving_id(database)
    assert len(await vectors_of(database, first)) == 2
    assert [(s.model.id, s.serves, s.is_previous) for s in await model_statuses(database)] == [
        (first, True, False),
        (second, False, True),
    ]
    assert await roll_back(database) == second  # and forth


async def test_a_batch_of_the_old_model_in_the_middle_of_a_switch(
    database: Database, first: int
) -> None:
    """What an Indexer still embeds with the old model is owed by the new one, and goes first."""
    second = await add_second(database)
    await backfill(database, second)
    await switch_to(database, second)
    await say(database, first, "late")

    assert await models_owing(database) == {second}
    await backfill(database, second)
    assert len(await vectors_of(database, second)) == 1


async def test_a_removed_model_leaves_nothing(database: Database, first: int) -> None:
    """Its vectors, its place and its queue go; the other model's stay, and no rollback is left."""
    await say(database, first, "one", "two")
    second = await add_second(database)
    await backfill(database, second)
    await switch_to(database, second)
    with pytest.raises(Conflict, match="serves"):
        await remove_model(database, second)
    await roll_back(database)
    await say(database, first, "three")
    await remove_model(database, second)
    await remove_model(database, second)  # a second call finds nothing to do

    assert await fetch(database, "SELECT DISTINCT model_id FROM pinak.memory_vectors") == [(first,)]
    assert await fetch(database, "SELECT id FROM pinak.embedding_models") == [(first,)]
    assert await fetch(database, "SELECT * FROM pinak.backfill_queue") == []
    assert await fetch(database, f"SELECT to_regclass('pinak.memory_vectors_m{second}')") == [
        (None,)
    ]
    with pytest.raises(Conflict, match="no model served before"):
        await roll_back(database)
    await say(database, first, "four")
    assert len(await vectors_of(database, first)) == 4


async def test_a_vector_of_a_model_that_does_not_serve_is_refused(
    database: Database, first: int
) -> None:
    """Callers that connected before the switch hear of it; the batch's others are stored."""
    vector = (await encode(["x"]))[0]
    stale = [new_memory(NAMESPACE, "ada", text, vector=vector) for text in ("old", "stale")]
    plain = new_memory(NAMESPACE, "ada", "plain")
    second = await add_second(database)
    await commit_given(database, [encode_memory(stale[0], model_id=first)])
    await switch_to(database, second, force=True)

    fates = await commit_given(
        database, [encode_memory(memory, model_id=first) for memory in (*stale, plain)]
    )

    assert isinstance(fates[0], Duplicate)  # a retry of what was stored is none of this
    assert isinstance(fates[1], WrongDimension)
    assert fates.keys() == {0, 1}
    assert await fetch(database, "SELECT content FROM pinak.memories") == [("old",), ("plain",)]


async def test_no_key_is_kept(database: Database) -> None:
    """Neither an API key nor a password in an address reaches the database."""
    told = EmbedderSpec(
        kind="openai",
        url="https://user:hush@embed.example/v1",
        model="m",
        dimension=8,
        api_key="hush",
    )
    await adopt_model(database, EMBEDDER.model, told)
    ((stored,),) = await fetch(database, "SELECT spec::text FROM pinak.embedding_models")
    kept = await serving(database)

    assert "hush" not in stored
    assert kept is not None
    assert kept.spec.url == "https://embed.example/v1"


async def test_adopting_again_keeps_who_serves(database: Database, first: int) -> None:
    """A stack that is configured otherwise does not change what its database serves."""
    await adopt_model(database, SECOND.model, spec(32))

    assert await serving_id(database) == first
    assert await fetch(database, "SELECT count(*) FROM pinak.embedding_models") == [(1,)]
