"""Rows of an older analysis get the terms of this one while they serve, and are counted right."""

from uuid import UUID

import pytest

from pinak_ray.language.analysis import ANALYSIS, terms
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.reanalysis import reanalyse_some, to_reanalyse
from tests.support.indexed import RECOUNT, check_statistics, index_owed, settle
from tests.support.remembered import EMBEDDER, register, remember_all

pytestmark = pytest.mark.postgres

NS = 5
TEXTS = ["我们昨天部署了订单服务", "getUserById returned null", "plain words stay as they are"]
# As PostgreSQL made them, before there was an analysis of our own.
AGE = [
    "UPDATE pinak.memories SET analysis = 0, lexemes = to_tsvector('english', content)",
    "UPDATE pinak.memory_windows AS w SET analysis = 0, lexemes = to_tsvector('english', 'old')",
]


async def aged(database: Database) -> tuple[int, list[UUID]]:
    """Store entries of one session as an older version left them; return the model and the ids."""
    model_id = await register(database)
    memories = [new_memory(NS, "ada", text, session="s") for text in TEXTS]
    ids = await remember_all(database, memories)
    await index_owed(database, model_id)
    await settle(database, model_id)
    async with database.service() as connection:
        for statement in AGE:
            await connection.execute(statement)
        await connection.execute("TRUNCATE pinak.term_stats, pinak.corpus_stats")
        await connection.execute(f"INSERT INTO pinak.term_stats {RECOUNT.format('pinak.memories')}")
        await connection.execute(
            "INSERT INTO pinak.corpus_stats SELECT namespace_id, count(*), sum(length(lexemes))"
            " FROM pinak.memories GROUP BY 1"
        )
        await connection.execute(
            "UPDATE pinak.window_stats SET total_length = (SELECT sum(length(lexemes))"
            " FROM pinak.memory_windows)"
        )
    return model_id, ids


async def found(database: Database, model_id: int, said: str) -> list[UUID]:
    """Return what a question finds by its words."""
    recaller = Recaller(database, EMBEDDER, model_id)
    result = await recaller.recall(NS, new_recall(said, recipe="lexical"))
    return [hit.id for hit in result.hits]


async def test_rows_and_windows_of_before_are_analysed_while_they_serve(database: Database) -> None:
    """What was found stays found, what was not is found then; counts are those of a fresh count."""
    model_id, ids = await aged(database)
    assert await found(database, model_id, "plain words") == [ids[2]]
    assert await found(database, model_id, "部署") == []
    waiting = await to_reanalyse(database)
    while await reanalyse_some(database):
        assert await found(database, model_id, "plain words") == [ids[2]]

    assert (waiting, await to_reanalyse(database)) == (2 * len(ids), 0)
    assert await found(database, model_id, "部署") == [ids[0]]
    assert await found(database, model_id, "user") == [ids[1]]
    await check_statistics(database)
    async with database.service() as connection:
        analyses = await connection.fetch("SELECT DISTINCT analysis FROM pinak.memory_windows")
        assert [row["analysis"] for row in analyses] == [ANALYSIS]
        window = await connection.fetchval(
            "SELECT tsvector_to_array(lexemes) FROM pinak.memory_windows WHERE memory_id = $1",
            ids[1],
        )
    assert set(terms(" ".join(TEXTS))) <= set(window)


async def test_an_unindexed_row_of_an_older_process_is_analysed_before_it_counts(
    database: Database,
) -> None:
    """Who stores without terms leaves that to the Indexer; the sweep does not count it twice."""
    model_id = await register(database)
    (id_,) = await remember_all(database, [new_memory(NS, "ada", "getUserById failed")])
    async with database.service() as connection:
        await connection.execute("UPDATE pinak.memories SET lexemes = '', analysis = 0")
    assert await reanalyse_some(database) == 0
    await index_owed(database, model_id)
    await check_statistics(database)
    assert await found(database, model_id, "user") == [id_]
