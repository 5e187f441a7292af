"""Statistics and windows stay exact after any mix of what can happen to memories, in any order."""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinak_ray.curation.passes import curate
from pinak_ray.language.analysis import terms
from pinak_ray.language.indexed_texts import index_text
from pinak_ray.records.errors import Conflict, NotFound, Superseded
from pinak_ray.records.memory.curation import CurationPolicy
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.records.memory.revisions import new_revision
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.lifecycle.archive import restore_memory
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.testing.bm25 import bm25
from tests.support.indexed import check_statistics, encode, fetch, index_owed, settle, window_words
from tests.support.remembered import register
from tests.support.settling import settle_some

pytestmark = pytest.mark.postgres

NS = 5
# Words that the English configuration neither stems nor drops.
WORDS = [f"term{chr(97 + n)}x" for n in range(8)]
EMPTY = (
    "TRUNCATE pinak.memories, pinak.memory_vectors, pinak.memory_windows, pinak.index_queue, "
    "pinak.settling_sessions, pinak.term_stats, pinak.corpus_stats, pinak.window_stats, "
    "pinak.memory_archive, pinak.curations CASCADE"
)
UNCOUNTED = """
SELECT m.namespace_id, m.id FROM pinak.memories AS m
WHERE EXISTS (SELECT FROM pinak.index_queue AS q WHERE m.id = ANY (q.memory_ids))
"""
ARCHIVED = "SELECT memory_id FROM pinak.memory_archive"
WINDOWS = "SELECT memory_id FROM pinak.memory_windows"
DENSE_WINDOWS = "SELECT memory_id FROM pinak.memory_vectors WHERE kind = 1"


@dataclass
class Swarm:
    """A database, and what is known of each memory that was ever stored there."""

    database: Database
    model_id: int
    said: dict[UUID, tuple[str, str | None]] = field(default_factory=dict)
    stored: list[UUID] = field(default_factory=list)
    superseded: set[UUID] = field(default_factory=set)
    forgotten: set[UUID] = field(default_factory=set)
    expired: set[UUID] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=count)

    def _text(self, number: int) -> str:
        chosen = random.Random(number).choices(WORDS, k=1 + number % 9)
        return " ".join([*chosen, f"own{next(self._numbers)}x"])

    def _one(self, number: int) -> UUID | None:
        return self.stored[number % len(self.stored)] if self.stored else None

    async def remember(self, number: int) -> None:
        session = (None, "s", "t")[number % 3]
        memory = new_memory(NS, "ada", self._text(number), session=session)
        self.said[memory.id] = memory.content, session
        await commit_memories(self.database, [encode_memory(memory)])
        self.stored.append(memory.id)

    async def revise(self, number: int) -> None:
        old = self._one(number)
        if old is None:
            return
        revision = new_revision(NS, "ada", old, self._text(number))
        self.said[revision.memory.id] = revision.memory.content, self.said[old][1]
        try:
            assert (await revise_memory(self.database, revision, model_id=self.model_id))[1]
            self.superseded.add(old)
            self.stored.append(revision.memory.id)
        except (NotFound, Superseded):
            del self.said[revision.memory.id]

    async def forget(self, number: int) -> None:
        one = self._one(number)
        if one is not None:
            await forget_memory(self.database, NS, one)
            self.forgotten.add(one)

    async def expire(self, number: int) -> None:
        one = self._one(number)
        if one is not None:
            async with self.database.service() as connection:
                done = await connection.execute(
                    "UPDATE pinak.memories SET expires_at = now() - interval '1 minute' "
                    "WHERE id = $1 AND expires_at IS NULL",
                    one,
                )
            if done == "UPDATE 1":
                self.expired.add(one)

    async def repeat(self, number: int) -> None:
        """Say again what was said, outside of any session: what a merge looks for."""
        one = self._one(number)
        if one is None or self.said[one][1] is not None:
            return
        memory = new_memory(NS, "ada", self.said[one][0])
        self.said[memory.id] = self.said[one]
        await commit_memories(self.database, [encode_memory(memory)])
        self.stored.append(memory.id)

    async def curate(self, number: int) -> None:
        """Merge duplicates; one time in four also archive all that nobody recalled."""
        policy = CurationPolicy(
            merge=True, forget_below=0.0 if number % 4 else 0.5, forget_after_days=0.0
        )
        with suppress(Conflict):
            await curate(self.database, NS, policy)

    async def restore(self, number: int) -> None:
        archived = sorted(await self.archived())
        if archived:
            with suppress(NotFound):
                await restore_memory(self.database, NS, archived[number % len(archived)])

    async def archived(self) -> set[UUID]:
        return {id_ for (id_,) in await fetch(self.database, ARCHIVED)}

    async def index(self, number: int) -> None:
        await index_some(self.database, encode, model_id=self.model_id, limit=1 + number % 3)

    async def settle(self, number: int) -> None:
        quiet_s = 0.0 if number % 2 else 3600.0
        await settle_some(self.database, encode, model_id=self.model_id, quiet_s=quiet_s)

    async def purge(self, number: int) -> None:
        await purge_expired(self.database, limit=1 + number % 4)

    async def finish(self) -> None:
        """Let Indexer and Curator do all that they owe."""
        await index_owed(self.database, self.model_id)
        while await purge_expired(self.database):
            pass
        await settle(self.database, self.model_id)

    async def living(self) -> set[UUID]:
        kept = self.said.keys() - self.forgotten - self.expired
        return kept - self.superseded - await self.archived()


NAMES = [
    *("remember", "remember", "repeat", "revise", "forget", "expire", "index", "index", "settle"),
    *("purge", "curate", "restore"),
]
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 1000)), max_size=40)


async def check_sums(swarm: Swarm) -> None:
    """All statistics are a recount of what is counted; no window says what is not said any more."""
    archived = await swarm.archived()
    await check_statistics(swarm.database, uncounted=UNCOUNTED)
    assert await fetch(swarm.database, WINDOWS) == await fetch(swarm.database, DENSE_WINDOWS)
    for memory_id, words in (await window_words(swarm.database)).items():
        session = swarm.said[memory_id][1]
        unsaid = {
            swarm.said[id_][0].split()[-1]
            for id_ in swarm.superseded | swarm.forgotten | archived
            if swarm.said[id_][1] == session
        }
        assert not words & unsaid


async def check_scores(database: Database) -> None:
    """BM25 in SQL is a plain BM25 over the memories that are stored."""
    stored = await fetch(database, "SELECT id, agent, session, content FROM pinak.memories")
    texts = [
        Counter(terms(index_text(agent, session, content))) for _, agent, session, content in stored
    ]
    ids = [row[0] for row in stored]
    async with database.reading(NS) as connection:
        for query in (WORDS[:1], WORDS[1:4], [*WORDS, "own1x"]):
            scores = zip(ids, bm25(Counter(query), texts), strict=True)
            rows = await connection.fetch(
                "SELECT id, score FROM pinak.lexical_scores($1, $2)", list(query), ids
            )
            assert {row["id"]: row["score"] for row in rows} == pytest.approx(
                {id_: score for id_, score in scores if not math.isnan(score)}, rel=1e-6
            )


async def check_all(swarm: Swarm) -> None:
    """What is stored is what was not forgotten and has not expired, and nothing else is left."""
    await swarm.finish()
    stored = await fetch(swarm.database, "SELECT id FROM pinak.memories")
    windows = await window_words(swarm.database)
    living, kept = await swarm.living(), swarm.said.keys() - swarm.forgotten - swarm.expired
    in_sessions = {id_ for id_ in living if swarm.said[id_][1] is not None}

    assert {id_ for (id_,) in stored} == kept - await swarm.archived()
    assert windows.keys() == in_sessions
    for memory_id, words in windows.items():
        session = swarm.said[memory_id][1]
        around = " ".join(swarm.said[id_][0] for id_ in living if swarm.said[id_][1] == session)
        assert words <= set(terms(around))
    await check_sums(swarm)
    await check_scores(swarm.database)


def play(dsn: str, steps: Sequence[tuple[str, int]], *, at_once: int = 1) -> None:
    """Take the steps on an empty database, `at_once` of them together, and check."""

    async def work() -> None:
        async with await Database.open(
            dsn, service_connections=at_once + 1, reader_connections=1
        ) as database:
            async with database.service() as connection:
                await connection.execute(EMPTY)
            swarm = Swarm(database, await register(database))
            for start in range(0, len(steps), at_once):
                together: list[Any] = [
                    getattr(swarm, name)(number) for name, number in steps[start : start + at_once]
                ]
                await asyncio.gather(*together)
                if at_once == 1:
                    await check_sums(swarm)
            await check_all(swarm)

    asyncio.run(work())


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_any_mix_in_any_order_keeps_the_statistics(dsn: str, steps: list[tuple[str, int]]) -> None:
    """After each step the sums are a recount; at the end every score is a plain BM25's."""
    play(dsn, steps)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_at_once_waits_in_no_circle(dsn: str, seed: int) -> None:
    """Eight at a time, over two sessions: no deadlock, and all is exact in the end."""
    rng = random.Random(seed)
    play(dsn, [(rng.choice(NAMES), rng.randrange(1000)) for _ in range(240)], at_once=8)
