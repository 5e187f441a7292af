"""What is revised is found as it is now; what is forgotten is found no more."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from pinak_ray.language.analysis import terms
from pinak_ray.records.answer_size import MAX_ANSWER_BYTES
from pinak_ray.records.errors import NotFound, Superseded
from pinak_ray.records.memory.memories import Outcome, new_memory
from pinak_ray.records.memory.revisions import History, new_revision
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.windows import settle_words
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory, versions_of
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.stats import namespace_figures
from tests.support.indexed import (
    check_statistics,
    encode,
    fetch,
    index_owed,
    settle,
    vectors,
    window_words,
)
from tests.support.remembered import expire, register
from tests.support.settling import settle_some

pytestmark = pytest.mark.postgres

NS = 7
DAY = datetime(2026, 3, 1, tzinfo=UTC)


async def remembered(database: Database, content: str, **fields: Any) -> UUID:
    """Commit one memory and return its id; nothing is indexed."""
    memory = new_memory(fields.pop("namespace_id", NS), "ada", content, **fields)
    await commit_memories(database, [encode_memory(memory)])
    return memory.id


async def revised(database: Database, memory_id: UUID, content: str, **fields: Any) -> UUID:
    """Revise one memory and return the id of the new one."""
    revision = new_revision(fields.pop("namespace_id", NS), "bob", memory_id, content, **fields)
    await revise_memory(database, revision, model_id=0)
    return revision.memory.id


async def found(database: Database, word: str, as_of: datetime | None = None) -> list[UUID]:
    """Return the ids of what a word finds, by own text or by window."""
    async with database.reading(NS) as connection:
        rows = await connection.fetch(
            """
            WITH f AS (SELECT ROW(null, null, null, null, null, null, null, null, null, null,
                $2::timestamptz)::pinak.filters AS f)
            SELECT c.id FROM f, pinak.lexical_candidates($1, 50, f) AS c
            UNION SELECT c.id FROM f, pinak.window_candidates($1, 50, f) AS c
            """,
            terms(word),
            as_of,
        )
    return [row["id"] for row in rows]


async def stored(database: Database) -> list[str]:
    """Return every word of every text and window that is stored."""
    rows = await fetch(
        database,
        "SELECT unnest(tsvector_to_array(lexemes)) FROM pinak.memories UNION "
        "SELECT unnest(tsvector_to_array(lexemes)) FROM pinak.memory_windows UNION "
        "SELECT term FROM pinak.term_stats",
    )
    return [word for (word,) in rows]


async def test_a_revision_takes_over_what_it_does_not_say(database: Database) -> None:
    """Content, author and what is given are new; all else is as it was."""
    old_id = await remembered(
        database, "orders are locked", layer="episodic", session="s", details={"n": 1},
        tags=["db"], entities=["orders"], outcome="failure", salience=0.9, occurred_at=DAY,
        ttl_s=3600, source="log",
    )  # fmt: skip
    new_id = await revised(database, old_id, "orders are open", outcome="success", tags=())
    old, new = (await versions_of(database, NS, new_id)).versions

    assert (old.memory.id, new.memory.id) == (old_id, new_id)
    assert (old.superseded_by, old.superseded_at) == (new_id, new.memory.created_at)
    assert new == (
        old.memory._replace(
            id=new_id, agent="bob", content="orders are open", tags=(), outcome=Outcome.SUCCESS,
            created_at=new.memory.created_at,
        ),
        None,
        None,
    )  # fmt: skip
    assert await versions_of(database, NS, old_id) == History(old, (old, new), None)


async def test_the_old_one_is_found_as_of_a_time_before(database: Database) -> None:
    """There is exactly one version at any moment: before, at and after the revision."""
    old_id = await remembered(database, "orders locked")
    new_id = await revised(database, old_id, "orders open")
    _, new = (await versions_of(database, NS, new_id)).versions
    at = new.memory.created_at

    assert await found(database, "orders") == [new_id]
    assert await found(database, "orders", at) == [new_id]
    assert await found(database, "orders", at - timedelta(microseconds=1)) == [old_id]


async def test_a_retried_revision_happens_once(database: Database) -> None:
    """The same write again, even after the old one was forgotten, stores nothing."""
    old_id = await remembered(database, "one")
    revision = new_revision(NS, "bob", old_id, "two", idempotency_key="k")
    news = [await revise_memory(database, revision, model_id=0) for _ in range(2)]
    await forget_memory(database, NS, old_id)
    news.append(await revise_memory(database, revision, model_id=0))

    assert [new for _, new in news] == [True, False, False]
    assert len({id_ for id_, _ in news}) == 1
    assert await fetch(database, "SELECT content FROM pinak.memories WHERE superseded_by IS NULL "
                       "AND expires_at IS NULL") == [("two",)]  # fmt: skip


async def test_of_many_revisions_at_once_one_wins(database: Database) -> None:
    """The others are told who; no second successor is stored."""
    old_id = await remembered(database, "orders")
    revisions = [new_revision(NS, "bob", old_id, f"orders {n}") for n in range(12)]
    results = await asyncio.gather(
        *(revise_memory(database, revision, model_id=0) for revision in revisions),
        return_exceptions=True,
    )
    (winner,) = (
        r.memory.id
        for r, result in zip(revisions, results, strict=True)
        if result == (r.memory.id, True)
    )
    lost = [result for result in results if isinstance(result, Exception)]

    assert len(lost) == 11
    assert all(type(each) is Superseded and each.args == (old_id, winner) for each in lost)
    assert await found(database, "orders") == [winner]
    assert await fetch(database, "SELECT count(*) FROM pinak.memories") == [(2,)]


async def test_what_cannot_be_revised(database: Database) -> None:
    """Unknown, forgotten, expired, another namespace's."""
    memory_id = await remembered(database, "one")
    other = await remembered(database, "two", namespace_id=NS + 1)
    gone = await remembered(database, "three")
    await forget_memory(database, NS, gone)
    late = await remembered(database, "four")
    await expire(database, late)
    for nothing in (uuid4(), other, gone, late):
        with pytest.raises(NotFound):
            await revised(database, nothing, "x")
    for unread in (other, gone, late):
        with pytest.raises(NotFound):
            await versions_of(database, NS, unread)

    assert await found(database, "one") == [memory_id]


async def test_a_forgotten_memory_leaves_nothing(database: Database) -> None:
    """Text, vectors, windows and statistics are as if it had never been."""
    model_id = await register(database)
    ids = [
        await remembered(database, word, session="s")
        for word in ("alpha", "bravo", "charlie", "secret", "delta", "echo", "foxtrot")
    ]
    await index_owed(database, model_id)
    await settle(database, model_id)
    before = await found(database, "secret")
    new = await forget_memory(database, NS, ids[3])
    after = await found(database, "secret"), await stored(database), await vectors(database)
    await settle(database, model_id)

    assert set(before) == set(ids[1:6])
    assert new
    assert after[0] == []
    assert "secret" not in after[1]
    assert ids[3] not in after[2]
    assert "secret" not in await stored(database)
    assert (await window_words(database))[ids[2]] == {"alpha", "bravo", "charli", "delta", "echo"}
    assert len(await window_words(database)) == 6
    assert not await forget_memory(database, NS, ids[3])
    await check_statistics(database)


async def test_the_meaning_of_what_was_forgotten_goes_too(database: Database) -> None:
    """Vectors of windows around it are those that would be had it never been said."""
    model_id = await register(database)
    dense = "SELECT memory_id, embedding FROM pinak.memory_vectors WHERE kind = 1"
    one = await remembered(database, "alpha", session="s")
    secret = await remembered(database, "secret", session="s")
    two = await remembered(database, "bravo", session="s")
    await index_owed(database, model_id)
    await settle(database, model_id)
    await forget_memory(database, NS, secret)
    gone = await fetch(database, dense)
    await settle(database, model_id)
    around = (await encode(["ada: alpha\nada: bravo"]))[0]

    assert gone == []
    assert await fetch(database, dense) == sorted([(one, around), (two, around)])


async def test_a_revised_text_leaves_the_windows_around_it(database: Database) -> None:
    """The new text is said where it was said, at the end; the old one is in no window."""
    model_id = await register(database)
    ids = [await remembered(database, word, session="s") for word in ("alpha", "wrong", "bravo")]
    await index_owed(database, model_id)
    await settle(database, model_id)
    new_id = await revised(database, ids[1], "right")
    at_once = await found(database, "wrong")
    await index_owed(database, model_id)
    await settle(database, model_id)

    assert at_once == []
    around = {"alpha", "bravo", "right", "bob"}
    assert await window_words(database) == {ids[0]: around, ids[2]: around, new_id: around}
    await check_statistics(database)


async def test_what_is_still_queued_is_gone_at_once_and_removed_later(database: Database) -> None:
    """Nothing finds it, not even as of before; the Curator removes it once it was counted."""
    model_id = await register(database)
    memory_id = await remembered(database, "secret", session="s")
    new = await forget_memory(database, NS, memory_id)
    now = datetime.now(UTC)
    unseen = await found(database, "secret") + await found(database, "secret", now)
    figures = await namespace_figures(database, NS)
    early = await purge_expired(database)
    await index_owed(database, model_id)
    await settle(database, model_id)
    late = await purge_expired(database)

    assert (new, unseen, figures["memories"], early, late) == (True, [], 0, 0, 1)
    assert await stored(database) == []
    assert await vectors(database) == {}


async def test_a_window_that_is_being_embedded_does_not_bring_it_back(database: Database) -> None:
    """Forgetting waits for no embedder, and what was embedded of the text is not stored."""
    model_id = await register(database)
    ids = [await remembered(database, word, session="s") for word in ("alpha", "secret", "bravo")]
    await index_owed(database, model_id)

    async def meanwhile(texts: Any) -> Any:
        if any("secret" in text for text in texts):
            await forget_memory(database, NS, ids[1])
            await settle_words(database, model_id=model_id, quiet_s=0.0)
        return await encode(texts)

    await settle_some(database, meanwhile, model_id=model_id, quiet_s=0.0)
    await settle(database, model_id)
    said = await encode(["ada: alpha\nada: bravo"])
    windows = await fetch(
        database, "SELECT DISTINCT embedding FROM pinak.memory_vectors WHERE kind = 1"
    )

    assert "secret" not in await stored(database)
    assert await found(database, "secret") == []
    assert [bytes(embedding) for (embedding,) in windows] == said


async def test_a_reopened_session_is_settled_in_few_steps(database: Database) -> None:
    """However long the session is, only the windows around the gap are looked at again."""
    model_id = await register(database)
    ids = [await remembered(database, f"word{n}", session="s") for n in range(60)]
    await index_owed(database, model_id)
    await settle(database, model_id)
    await forget_memory(database, NS, ids[5])
    steps = 0
    while await fetch(database, "SELECT FROM pinak.settling_sessions"):
        await settle_some(database, encode, model_id=model_id, quiet_s=3600.0)
        steps += 1

    assert steps <= 3
    assert len(await window_words(database)) == 59


async def test_any_of_many_versions_is_readable(database: Database) -> None:
    """The newest of more versions than one page holds is there, and so is the first: page by page
    each comes once, in order, and always the one that was asked for."""
    ids = [await remembered(database, "port 8000")]
    for number in range(1, 25):
        ids.append(await revised(database, ids[-1], f"port {8000 + number}"))

    for asked in (ids[0], ids[12], ids[-1]):
        pages, before = [], None
        while True:
            history = await versions_of(database, NS, asked, limit=10, before=before)
            assert history.memory.memory.id == asked
            pages.insert(0, [version.memory.id for version in history.versions])
            before = history.before
            if before is None:
                break
            assert before == pages[0][0]
        assert [len(page) for page in pages] == [5, 10, 10]
        assert [id_ for page in pages for id_ in page] == ids


async def test_a_history_of_long_texts_comes_in_pieces(database: Database) -> None:
    """No page is larger than one answer, and no version is left out."""
    ids = [await remembered(database, "a" * 65_000, details={"n": "b" * 65_000})]
    for number in range(40):
        ids.append(await revised(database, ids[-1], f"{number}" + "c" * 65_000))

    newest = await versions_of(database, NS, ids[-1])
    older = await versions_of(database, NS, ids[-1], before=newest.before)

    assert [v.memory.id for v in (*older.versions, *newest.versions)] == ids
    size = sum(len(v.memory.content) + len(v.memory.details) for v in newest.versions)
    assert MAX_ANSWER_BYTES * 0.9 < size <= MAX_ANSWER_BYTES
    assert older.before is None
