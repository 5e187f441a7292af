"""Mirrors of namespaces: an answer from one is the database's, to the last commit."""

import random
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.memories import Memory, Outcome, new_memory
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.records.memory.revisions import new_revision
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.mirrors.mirrors import Mirrors
from tests.support.indexed import index_owed, settle
from tests.support.remembered import DIMENSION, EMBEDDER, expire, register

pytestmark = pytest.mark.postgres

NS, OTHER = 7, 8
# Few enough that texts share many, as in life: some are in most of them.
WORDS = (
    "deploy", "rollback", "orders", "lock", "table", "payment", "queue", "retry", "timeout",
    "replica", "failover", "schema", "it's", "backup", "restore", "canary", "traffic",
    "certificate", "renewed", "expired", "mobile", "basket", "voucher", "refund",
)  # fmt: skip


def text(source: random.Random) -> str:
    """Return a few words, the first ones far oftener than the last."""
    count = source.randint(1, 14)
    return " ".join(WORDS[int(len(WORDS) * source.random() ** 2)] for _ in range(count))


def memories(source: random.Random, count: int, namespace_id: int = NS) -> list[Memory]:
    """Return memories of several agents, most in one of a few sessions."""
    return [
        new_memory(
            namespace_id,
            source.choice(("ada", "bob")),
            text(source),
            session=source.choice((None, "monday", "tuesday", "friday")),
            outcome=source.choice((None, Outcome.FAILURE)),
        )
        for _ in range(count)
    ]


async def store(database: Database, model_id: int, given: Sequence[Memory]) -> list[UUID]:
    """Store memories as the Writer does."""
    await commit_memories(database, [encode_memory(m, model_id=model_id) for m in given])
    return [memory.id for memory in given]


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database)


@pytest.fixture
async def mirrors(database: Database, model_id: int) -> AsyncIterator[Mirrors]:
    """What a process holds."""
    held = Mirrors(database, model_id, DIMENSION)
    yield held
    await held.aclose()


async def held(mirrors: Mirrors, namespace_id: int = NS) -> bool:
    """Ask once, so that it is looked for, and return whether it is held then."""
    mirrors.of(namespace_id)
    return await mirrors.loaded(namespace_id)


class Sides:
    """The same questions to a mirror and to the database."""

    def __init__(self, database: Database, model_id: int, mirrors: Mirrors) -> None:
        self.mirrors = mirrors
        self.by_mirror = Recaller(database, EMBEDDER, model_id, mirrors=mirrors)
        self.by_database = Recaller(database, EMBEDDER, model_id)

    async def agree(self, question: str, **options: Any) -> set[UUID]:
        """Ask both, and return what they found."""
        asked = new_recall(question, trace=True, **options)
        ours, theirs = [await each.recall(NS, asked) for each in (self.by_mirror, self.by_database)]
        assert ours.trace is not None
        assert theirs.trace is not None
        assert ours.trace.candidates == theirs.trace.candidates
        assert [hit.score for hit in ours.hits] == pytest.approx(
            [hit.score for hit in theirs.hits], abs=1e-4
        )
        mine, others = ({hit.id: hit for hit in each.hits} for each in (ours, theirs))
        last = theirs.hits[-1].score if theirs.hits else 0.0
        for id_ in mine.keys() ^ others.keys():  # of equals at the end either may come
            assert (mine | others)[id_].score == pytest.approx(last, abs=1e-4), question
        for id_ in mine.keys() & others.keys():
            values = [signal.score for signal in others[id_].signals]
            found = [signal.score for signal in mine[id_].signals]
            assert found == pytest.approx(values, abs=1e-5, nan_ok=True)
        return set(mine)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_was_written_both_say_the_same(
    database: Database, model_id: int, mirrors: Mirrors, seed: int
) -> None:
    """Random memories, written, indexed, revised and forgotten in turn: no answer differs."""
    source = random.Random(seed)
    ids = await store(database, model_id, memories(source, 160))
    await index_owed(database, model_id)
    await settle(database, model_id)
    assert await held(mirrors)
    sides = Sides(database, model_id, mirrors)
    for _ in range(8):
        for recipe in ("default", "lexical", "dense", "rrf", "linear"):
            await sides.agree(text(source), k=source.choice((3, 10, 60)), recipe=recipe)
        match source.randrange(4):
            case 0:
                ids += await store(database, model_id, memories(source, source.randint(1, 30)))
                await index_owed(database, model_id)
            case 1:
                await settle(database, model_id)
            case 2:
                for id_ in [ids.pop(source.randrange(len(ids))) for _ in range(5)]:
                    await forget_memory(database, NS, id_)
            case 3:
                old = ids.pop(source.randrange(len(ids)))
                revision = new_revision(NS, "ada", old, text(source))
                ids.append((await revise_memory(database, revision, model_id=model_id))[0])
                await index_owed(database, model_id)


async def test_words_count_with_their_commit(
    database: Database, model_id: int, mirrors: Mirrors
) -> None:
    """A memory that nobody has indexed yet is found by its words, and its window with them."""
    source = random.Random(5)
    await store(database, model_id, memories(source, 120))
    await index_owed(database, model_id)
    assert await held(mirrors)
    recaller = Recaller(database, EMBEDDER, model_id, mirrors=mirrors)
    (late,) = await store(database, model_id, [new_memory(NS, "ada", "a zebra crossed")])
    found = await recaller.recall(NS, new_recall("zebra", k=1, recipe="lexical"))
    assert [hit.id for hit in found.hits] == [late]
    await index_owed(database, model_id)
    found = await recaller.recall(NS, new_recall("zebra", k=1, recipe="default"))
    assert [hit.id for hit in found.hits] == [late]


async def test_what_is_over_is_not_found_and_costs_no_place(
    database: Database, model_id: int, mirrors: Mirrors
) -> None:
    """Forgotten, expired and revised memories make room for what lives, at once."""
    ids = await store(database, model_id, [new_memory(NS, "ada", f"heron {n}") for n in range(130)])
    await index_owed(database, model_id)
    assert await held(mirrors)
    sides = Sides(database, model_id, mirrors)
    assert len(await sides.agree("heron", k=100, recipe="lexical")) == 100
    for id_ in ids[:40]:
        await forget_memory(database, NS, id_)
    for id_ in ids[40:80]:
        await expire(database, id_)
    revision = new_revision(NS, "ada", ids[80], "the heron flew")
    revised, _ = await revise_memory(database, revision, model_id=model_id)
    await index_owed(database, model_id)
    found = await sides.agree("heron", k=100, recipe="lexical")
    assert found == {*ids[81:], revised}


async def test_a_mirror_is_never_asked_for_another_namespace(
    database: Database, model_id: int, mirrors: Mirrors
) -> None:
    """Two namespaces with the same words: each mirror holds its own, and answers with its own."""
    source = random.Random(3)
    mine = await store(database, model_id, memories(source, 120))
    theirs = await store(database, model_id, memories(source, 120, OTHER))
    await index_owed(database, model_id)
    assert await held(mirrors, NS)
    assert await held(mirrors, OTHER)
    recaller = Recaller(database, EMBEDDER, model_id, mirrors=mirrors)
    for namespace_id, own in ((NS, mine), (OTHER, theirs)):
        mirror = mirrors.of(namespace_id)
        assert mirror is not None
        assert {UUID(bytes=id_) for id_ in mirror.mirror.ids.values.tolist()} == set(own)
        found = await recaller.recall(namespace_id, new_recall("deploy orders", k=200))
        assert {hit.id for hit in found.hits} <= set(own)
        assert found.hits


async def test_a_mirror_asked_under_another_namespace_gives_nothing(
    database: Database, model_id: int, mirrors: Mirrors
) -> None:
    """Were a mirror ever mixed up, row-level security still gives no row of it."""
    await store(database, model_id, memories(random.Random(4), 120, OTHER))
    await index_owed(database, model_id)
    assert await held(mirrors, OTHER)
    mirror = mirrors.of(OTHER)
    assert mirror is not None
    places = mirror.mirror.ids.places(mirror.mirror.ids.values[:20])
    assert not await mirrors.read(NS, mirror, places)


async def test_what_does_not_fit_is_left_to_the_database(database: Database, model_id: int) -> None:
    """A namespace larger than the whole budget is not held; the one used last stays."""
    await store(database, model_id, memories(random.Random(1), 300))
    await index_owed(database, model_id)
    small = Mirrors(database, model_id, DIMENSION, budget_bytes=10_000)
    assert not await held(small)
    await small.aclose()
    fewer = Mirrors(database, model_id, DIMENSION, most_rows=200)
    assert not await held(fewer)
    await fewer.aclose()
