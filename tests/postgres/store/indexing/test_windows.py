"""Windows: what was said around an entry is indexed once, when nothing more can be said there."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.language.indexed_texts import windows_of
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.indexing.windows import unsettled
from pinak_ray.store.lifecycle.expiry import purge_expired
from tests.support.indexed import encode, fetch
from tests.support.remembered import register, remember_all
from tests.support.settling import settle_some

pytestmark = pytest.mark.postgres

NAMESPACE = 7
QUIET_S, NEVER_QUIET_S = 0.0, 3600.0

STATS = "SELECT namespace_id, windows, total_length FROM pinak.window_stats WHERE windows <> 0"
RECOUNT = """
SELECT namespace_id, count(*), sum(length(lexemes))::bigint FROM pinak.memory_windows GROUP BY 1
"""


async def say(database: Database, *words: str, session: str | None = "s") -> list[UUID]:
    """Store entries of one session, index their own texts, and return their ids."""
    model_id = await register(database)
    memories = [new_memory(NAMESPACE, "ada", word, session=session) for word in words]
    ids = await remember_all(database, memories)
    while (await index_some(database, encode, model_id=model_id)).rows:
        pass
    return ids


async def settle(database: Database, quiet_s: float) -> int:
    """Write all windows that are due; return how many."""
    model_id, written = await register(database), 0
    while done := await settle_some(database, encode, model_id=model_id, quiet_s=quiet_s):
        written += done
    return written


async def windows(database: Database) -> dict[UUID, set[str]]:
    """Return the words of each window."""
    rows = await fetch(
        database, "SELECT memory_id, tsvector_to_array(lexemes) FROM pinak.memory_windows"
    )
    return {memory_id: set(words) - {"ada"} for memory_id, words in rows}


@given(st.lists(st.text("ab", min_size=1, max_size=3), max_size=12))
def test_a_window_is_two_entries_each_way_and_one_for_the_meaning(texts: list[str]) -> None:
    """At the ends of a session it is smaller; the entry itself is always in it."""
    ids = [UUID(int=number) for number in range(len(texts))]
    for at, window in enumerate(windows_of(ids, texts)):
        assert window.id == ids[at]
        assert window.lexical.split("\n") == texts[max(0, at - 2) : at + 3]
        assert window.dense.split("\n") == texts[max(0, at - 1) : at + 2]


async def test_an_entry_settles_when_two_later_ones_have_come(database: Database) -> None:
    """Until then it has no window; with quiet the last ones settle as they are."""
    one, two, three, four = await say(database, "kilo", "lima", "mike", "november")
    early = await settle(database, NEVER_QUIET_S)
    first = await windows(database)
    waiting = await unsettled(database)
    late = await settle(database, QUIET_S)
    every = await windows(database)

    assert (early, waiting, late, await unsettled(database)) == (2, 2, 2, 0)
    assert first == {
        one: {"kilo", "lima", "mike"},
        two: {"kilo", "lima", "mike", "novemb"},
    }
    assert every[three] == {"kilo", "lima", "mike", "novemb"}
    assert every[four] == {"lima", "mike", "novemb"}


async def test_a_session_goes_on_after_a_silence(database: Database) -> None:
    """New entries see the old ones; windows that are written stay as they are."""
    await say(database, "kilo", "lima")
    await settle(database, QUIET_S)
    before = await windows(database)
    (later,) = await say(database, "mike")
    await settle(database, QUIET_S)
    after = await windows(database)

    assert after[later] == {"kilo", "lima", "mike"}
    assert before.items() <= after.items()


async def test_long_sessions_settle_piece_by_piece_as_at_once(database: Database) -> None:
    """However many entries there are, and in however many steps they come."""
    words = [f"word{chr(97 + n // 8)}{chr(97 + n % 8)}x" for n in range(40)]
    spoken: list[UUID] = []
    for start in range(0, 40, 7):
        spoken += await say(database, *words[start : start + 7])
        await settle(database, NEVER_QUIET_S)
    await settle(database, QUIET_S)
    found = await windows(database)

    assert len(found) == 40
    for at, id_ in enumerate(spoken):
        assert found[id_] == set(words[max(0, at - 2) : at + 3])
    assert await fetch(database, RECOUNT) == await fetch(database, STATS)
    (vectors,) = await fetch(database, "SELECT count(*) FROM memory_vectors WHERE kind = 1")
    assert vectors == (40,)


async def test_sessions_do_not_mix_and_the_others_have_none(database: Database) -> None:
    """A memory without a session has nothing said around it."""
    await say(database, "kilo", "lima", session="a")
    await say(database, "mike", "november", session="b")
    await say(database, "oscar", session=None)
    await settle(database, QUIET_S)

    assert sorted(map(sorted, (await windows(database)).values())) == [
        ["kilo", "lima"], ["kilo", "lima"], ["mike", "novemb"], ["mike", "novemb"],
    ]  # fmt: skip


async def test_a_window_goes_with_its_memory(database: Database) -> None:
    """Expired memories take window, vector and their part of the statistics along.

    They leave the windows of the others too, which are written anew.
    """
    await say(database, "kilo", "lima", "mike")
    await settle(database, QUIET_S)
    past = datetime.now(UTC) - timedelta(days=2)
    async with database.service() as connection:
        await connection.execute("UPDATE memories SET expires_at = $1 WHERE content = 'lima'", past)
    await purge_expired(database)
    await settle(database, QUIET_S)

    assert [*(await windows(database)).values()] == [{"kilo", "mike"}] * 2
    assert await fetch(database, RECOUNT) == await fetch(database, STATS)
    assert await fetch(database, "SELECT count(*) FROM memory_vectors WHERE kind = 1") == [(2,)]
