"""A pass of the Curator: what goes, what stays, and that a dry run changes nothing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
import pytest

from pinak_ray.curation import passes
from pinak_ray.curation.passes import curate, curate_due
from pinak_ray.records.errors import Conflict, NotFound
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.curation import CurationPolicy, Reason
from pinak_ray.records.memory.links import change_link
from pinak_ray.records.memory.memories import Layer, Memory, Outcome, new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.archive import restore_memory
from pinak_ray.store.lifecycle.curation import last_curation, turn
from pinak_ray.store.lifecycle.revisions import forget_memory, versions_of
from pinak_ray.store.memories import accesses
from pinak_ray.store.memories.accesses import Accesses
from pinak_ray.store.memories.links import commit_links
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.namespaces import ensure_namespace
from tests.support.indexed import check_statistics, fetch, index_owed
from tests.support.remembered import register

pytestmark = pytest.mark.postgres

NS, OTHER = 7, 8
LONG_AGO = datetime.now(UTC) - timedelta(days=400)
FORGET = CurationPolicy(forget_below=0.1)
MERGE = CurationPolicy(merge=True)
BOTH = CurationPolicy(merge=True, forget_below=0.1)
TABLES = (
    "memories", "memory_vectors", "memory_links", "memory_access", "memory_archive", "curations",
    "term_stats", "corpus_stats", "retrieval_feedback", "nudge_feedback", "generations",
)  # fmt: skip


async def remembered(database: Database, content: str, **fields: Any) -> Memory:
    """Commit one memory, an old one unless `created_at` is given, and index it."""
    fields = {"created_at": LONG_AGO, **fields}
    memory = new_memory(fields.pop("namespace_id", NS), "ada", content)._replace(**fields)
    await commit_memories(database, [encode_memory(memory)])
    await index_owed(database, await register(database))
    return memory


async def found(database: Database, *, living: bool = True, namespace_id: int = NS) -> set[UUID]:
    """Return what is stored; only what was not superseded, unless `living` is false."""
    rows = await fetch(
        database,
        f"SELECT id, superseded_by FROM pinak.memories WHERE namespace_id = {namespace_id}",
    )
    return {id_ for id_, superseded_by in rows if not (living and superseded_by)}


async def counted(database: Database, counts: dict[UUID, int]) -> None:
    """Count accesses of memories of the namespace."""
    counter = Accesses(database)
    for id_, count in counts.items():
        for _ in range(count):
            counter.note(NS, [id_])
    await counter.aclose()


async def linked(database: Database, one: UUID, other: UUID, cosine: float) -> None:
    """Link two memories as the Indexer does."""
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.memory_links (namespace_id, from_id, to_id, kind, strength)"
            " VALUES ($1, $2, $3, 'similar', $4)",
            NS, max(one, other), min(one, other), cosine,
        )  # fmt: skip


async def everything(database: Database) -> list[Any]:
    """Return all rows that a pass could change, with the transaction that wrote each."""
    return [
        await fetch(database, f"SELECT xmin::text, t::text FROM pinak.{t} AS t") for t in TABLES
    ]


# Accesses


async def test_accesses_add_up_without_writing_a_memory_again(database: Database) -> None:
    """Each count is kept, of memories that are there; neither their row nor a generation moves."""
    memory = await remembered(database, "orders are locked")
    before = await everything(database)
    await counted(database, {memory.id: 2, UUID(int=1): 1})
    await counted(database, {memory.id: 3})
    after = await everything(database)
    rows = await fetch(database, "SELECT memory_id, accesses FROM pinak.memory_access")

    assert rows == [(memory.id, 5)]
    assert [t for t, b, a in zip(TABLES, before, after, strict=True) if a != b] == ["memory_access"]


async def test_counting_waits_for_nobody(database: Database) -> None:
    """While somebody changes a memory its accesses are not counted, and the others' are."""
    held, free = [await remembered(database, text) for text in ("held", "free")]
    async with database.service() as connection, connection.transaction():
        await connection.execute("SELECT FROM pinak.memories WHERE id = $1 FOR UPDATE", held.id)
        await counted(database, {held.id: 1, free.id: 1})

    assert await fetch(database, "SELECT memory_id FROM pinak.memory_access") == [(free.id,)]


async def test_counting_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is returned while too many wait is not counted; those that wait still add up."""
    monkeypatch.setattr(accesses, "_CAPACITY", 1)
    one, other = [await remembered(database, text) for text in ("one", "other")]
    counter = Accesses(database)
    counter.note(NS, [one.id, other.id, one.id])
    await counter.aclose()

    assert await fetch(database, "SELECT memory_id, accesses FROM pinak.memory_access") == [
        (one.id, 2)
    ]


# Forgetting


async def test_what_is_weak_is_archived_and_deleted(database: Database) -> None:
    """Its row, vector and terms are gone; the report counts it, and the archive holds it."""
    weak = await remembered(database, "the weather was fine", tags=("w",))
    young = await remembered(database, "the weather is fine", created_at=datetime.now(UTC))
    used = await remembered(database, "orders live in db7")
    await counted(database, {used.id: 9})
    report = await curate(database, NS, FORGET)
    last = await last_curation(database, NS)

    assert await found(database) == {young.id, used.id}
    assert report.counts == {"weak": 1, "duplicate": 0, "near_duplicate": 0}
    assert (report.bytes, report.looked_at, report.complete) == (len(weak.content), 3, True)
    (sample,) = report.samples
    assert (sample.id, sample.reason, sample.content) == (weak.id, Reason.WEAK, weak.content)
    assert sample.strength < 0.1
    assert (last.archived, orjson.loads(last.report)["counts"]["weak"]) == (1, 1)
    await check_statistics(database)


async def test_by_default_nothing_goes(database: Database) -> None:
    """Without a configured floor or merge a pass only reports."""
    memories = {(await remembered(database, "twice")).id for _ in range(2)}
    report = await curate(database, NS, CurationPolicy())

    assert await found(database) == memories
    assert set(report.counts.values()) == {0}


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": Outcome.FAILURE},
        {"layer": Layer.REFERENCE},
        {"salience": 0.8},
        {"expires_at": datetime.now(UTC) + timedelta(days=900)},
        {"created_at": datetime.now(UTC) - timedelta(days=89)},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_what_must_stay_stays(database: Database, fields: dict[str, Any]) -> None:
    """Failures, documents, what matters, what has its own end, and what is young."""
    kept = await remembered(database, "however weak", **fields)
    report = await curate(database, NS, CurationPolicy(forget_below=1.0))

    assert await found(database) == {kept.id}
    assert report.counts["weak"] == 0


async def test_a_thought_template_lives_by_its_runs(database: Database) -> None:
    """It is neither forgotten nor merged: its success rate says what it is worth."""
    both = {(await remembered(database, "first ask, then act")).id for _ in range(2)}
    async with database.service() as connection:
        await connection.executemany(
            "INSERT INTO pinak.template_outcomes (namespace_id, template_id, run, agent, success)"
            " VALUES ($1, $2, 'r', 'ada', true)",
            [(NS, id_) for id_ in both],
        )
    report = await curate(database, NS, BOTH)

    assert await found(database) == both
    assert set(report.counts.values()) == {0}


async def test_what_supersedes_stays_until_its_predecessor_is_gone(database: Database) -> None:
    """Otherwise history would end in nothing; the older version goes first, failure or not."""
    old = await remembered(database, "db6", outcome=Outcome.FAILURE)
    new = await remembered(database, "db7")
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET superseded_by = $1 WHERE id = $2", new.id, old.id
        )
    first = await curate(database, NS, FORGET)
    between = await found(database)
    second = await curate(database, NS, FORGET)

    assert (first.counts["weak"], second.counts["weak"]) == (1, 1)
    assert (between, await found(database)) == ({new.id}, set())


async def test_feedback_keeps_and_weakens(database: Database) -> None:
    """A memory that agents graded as helpful outlives one that they graded as useless."""
    at = datetime.now(UTC) - timedelta(days=60)  # a strength of .125 without a word
    good, bad = [await remembered(database, text, created_at=at) for text in ("good", "bad")]
    async with database.service() as connection:
        await connection.executemany(
            "INSERT INTO pinak.retrieval_feedback (namespace_id, memory_id, agent, question, score)"
            " VALUES ($1, $2, 'ada', $2, $3)",
            [(NS, good.id, 1.0), (NS, bad.id, -1.0)],
        )
    await curate(database, NS, CurationPolicy(forget_below=0.1, forget_after_days=30))

    assert await found(database) == {good.id}


async def test_what_is_not_indexed_yet_waits(database: Database) -> None:
    """Its terms must be counted before they leave."""
    memory = new_memory(NS, "ada", "not counted")._replace(created_at=LONG_AGO)
    await commit_memories(database, [encode_memory(memory)])
    early = await curate(database, NS, FORGET)
    await index_owed(database, await register(database))
    late = await curate(database, NS, FORGET)

    assert (early.counts["weak"], late.counts["weak"]) == (0, 1)
    await check_statistics(database)


async def test_another_namespace_is_untouched(database: Database) -> None:
    """A pass takes nothing of a namespace that it was not asked for."""
    other = await remembered(database, "weak too", namespace_id=OTHER)
    await remembered(database, "weak")
    await curate(database, NS, BOTH)

    assert await found(database, namespace_id=OTHER) == {other.id}
    assert (await last_curation(database, OTHER)).report == b"null"


async def test_a_bounded_pass_goes_on_where_it_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passes that may look at few memories come round to all, though most of them must stay."""
    monkeypatch.setattr(passes, "_MEMORIES", 2)
    monkeypatch.setattr(passes, "_LOOKED_AT", 4)
    for number in range(9):
        await remembered(database, f"{number}", salience=0.9 if number % 3 else 0.5)
    reports = [await curate(database, NS, FORGET) for _ in range(3)]

    assert [report.complete for report in reports] == [False, False, True]
    assert sum(report.counts["weak"] for report in reports) == 3


# The archive


async def test_restoring_brings_a_memory_back_whole(database: Database) -> None:
    """Every column, the links that agents made, its accesses; and the next pass leaves it there."""
    weak = await remembered(
        database, "it was 21 °C", tags=("a", "b"), entities=("x",), details=b'{"n":[1,"\\u00e9"]}',
        session="s", source="s:1", outcome=Outcome.SUCCESS, salience=0.3,
    )  # fmt: skip
    kept = await remembered(database, "stays", salience=0.9)
    await commit_links(database, [change_link(NS, "ada", weak.id, kept.id, "supports", 0.5)])
    before = await versions_of(database, NS, weak.id)
    await curate(database, NS, FORGET)
    links = await fetch(database, "SELECT * FROM pinak.memory_links")
    await restore_memory(database, NS, weak.id)
    await index_owed(database, await register(database))

    after, was = (await versions_of(database, NS, weak.id)).memory, before.memory
    assert orjson.loads(after.memory.details) == orjson.loads(was.memory.details)
    assert after.memory._replace(details=b"") == was.memory._replace(details=b"")
    assert links == []
    assert await fetch(database, "SELECT from_id, to_id, author FROM pinak.memory_links") == [
        (weak.id, kept.id, "ada")
    ]
    assert (await curate(database, NS, FORGET)).counts["weak"] == 0
    await check_statistics(database)
    with pytest.raises(NotFound):
        await restore_memory(database, NS, weak.id)


async def test_the_archive_keeps_for_its_time(database: Database) -> None:
    """What was archived longer ago leaves for good; a dry run says so first; 0 days keep all."""
    for text in ("one", "two"):
        await remembered(database, text)
    await curate(database, NS, FORGET)
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memory_archive SET archived_at = now() - interval '5 days'"
            " WHERE memory ->> 'content' = 'one'"
        )
    policies = [CurationPolicy(archive_days=days) for days in (0.0, 4.0)]
    dry = [(await curate(database, NS, policy, dry_run=True)).purged for policy in policies]
    wet = [(await curate(database, NS, policy)).purged for policy in policies]

    assert dry == wet == [0, 1]
    assert await fetch(database, "SELECT memory ->> 'content' FROM pinak.memory_archive") == [
        ("two",)
    ]


async def test_what_is_forgotten_leaves_the_archive_too(database: Database) -> None:
    """`forget` means it: nothing is left to restore."""
    weak = await remembered(database, "a secret")
    await curate(database, NS, FORGET)

    assert await forget_memory(database, NS, weak.id)
    assert not await forget_memory(database, NS, weak.id)
    assert await fetch(database, "SELECT * FROM pinak.memory_archive") == []


# Merges


async def test_the_same_text_is_kept_once(database: Database) -> None:
    """Of many the strongest; the others lead to it as versions do, and statistics stay exact."""
    same = [await remembered(database, "the gateway is on port 8080") for _ in range(4)]
    await counted(database, {same[1].id: 3})
    other = await remembered(database, "the gateway is on port 8081")
    report = await curate(database, NS, MERGE)
    versions = (await versions_of(database, NS, same[1].id)).versions

    assert await found(database) == {same[1].id, other.id}
    assert report.counts == {"weak": 0, "duplicate": 3, "near_duplicate": 0}
    assert {sample.kept for sample in report.samples} == {same[1].id}
    assert {v.memory.id for v in versions} == {memory.id for memory in same}
    assert (await curate(database, NS, MERGE)).counts["duplicate"] == 0
    await check_statistics(database)


async def test_similar_memories_that_say_the_same_are_merged(database: Database) -> None:
    """Near by vector and the same in words; a number apart, or less near, is another memory."""
    one = await remembered(database, "The gateway is on port 8080.")
    same = await remembered(database, "the gateway is on port 8080")
    apart = await remembered(database, "the gateway is on port 8081")
    far = await remembered(database, "THE GATEWAY is on port 8080")
    for memory, cosine in ((same, 0.99), (apart, 0.999), (far, 0.94)):
        await linked(database, one.id, memory.id, cosine)
    await counted(database, {one.id: 1})
    report = await curate(database, NS, MERGE)

    assert await found(database) == {one.id, apart.id, far.id}
    assert report.counts["near_duplicate"] == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"layer": Layer.EPISODIC},
        {"outcome": Outcome.FAILURE},
        {"session": "s"},
        {"expires_at": datetime.now(UTC) + timedelta(days=9)},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_the_same_words_elsewhere_are_no_duplicate(
    database: Database, fields: dict[str, Any]
) -> None:
    """Another layer or outcome says something else; a turn of a session, or a loan, is its own."""
    both = {(await remembered(database, "yes", **each)).id for each in ({}, fields)}
    await curate(database, NS, MERGE)

    assert await found(database) == both


async def test_the_kept_memory_takes_over(database: Database) -> None:
    """Tags, entities, salience, accesses, agents' links and feedback are united on it."""
    kept = await remembered(database, "same", tags=("a", "b"), entities=("x",))
    gone = await remembered(database, "same", tags=("b", "c"), entities=("y",), salience=0.6)
    end = await remembered(database, "another")
    await counted(database, {kept.id: 90, gone.id: 2})
    await commit_links(
        database,
        [
            change_link(NS, "ada", gone.id, end.id, "supports", 0.5),
            change_link(NS, "ada", end.id, gone.id, "fixes", 0.4),
            change_link(NS, "ada", kept.id, gone.id, "similar", 0.9),
        ],
    )
    async with database.service() as connection:
        for table, columns, values in (
            ("retrieval_feedback", "question, score", "$2, 1"),
            ("nudge_feedback", "subject, verdict", "$2, 'useful'"),
        ):
            await connection.execute(
                f"INSERT INTO pinak.{table} (namespace_id, memory_id, agent, {columns})"
                f" VALUES ($1, $2, 'ada', {values})",
                NS, gone.id,
            )  # fmt: skip
    await curate(database, NS, MERGE)
    (row,) = await fetch(
        database, f"SELECT tags, entities, salience FROM pinak.memories WHERE id = '{kept.id}'"
    )
    links = await fetch(database, "SELECT from_id, to_id, kind FROM pinak.memory_links")

    assert row == (["a", "b", "c"], ["x", "y"], pytest.approx(0.6))
    assert {(kept.id, end.id, "supports"), (end.id, kept.id, "fixes")} <= set(links)
    assert all(one != other for one, other, _ in links)
    assert (kept.id, 92) in await fetch(
        database, "SELECT memory_id, accesses FROM pinak.memory_access"
    )
    for table in ("retrieval_feedback", "nudge_feedback"):
        assert (kept.id,) in await fetch(database, f"SELECT memory_id FROM pinak.{table}")


async def test_another_judge_can_decide(database: Database) -> None:
    """Who understands texts merges a paraphrase, which the rules leave alone."""
    one, other = [await remembered(database, t) for t in ("orders is down", "orders has an outage")]
    await linked(database, one.id, other.id, 0.96)
    await counted(database, {one.id: 1})
    by_rule = await curate(database, NS, MERGE)
    asked: list[set[str]] = []

    def judge(kept: str, merged: str) -> bool:
        asked.append({kept, merged})
        return True

    by_judge = await curate(database, NS, MERGE, judge=judge)

    assert (by_rule.counts["near_duplicate"], by_judge.counts["near_duplicate"]) == (0, 1)
    assert asked == [{one.content, other.content}]
    assert await found(database) == {one.id}


async def test_pairs_of_many_pages_are_all_seen(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain of similar memories ends as one, however few pairs a transaction takes."""
    monkeypatch.setattr(passes, "_PAIRS", 2)
    texts = ["so it is" + "." * number for number in range(7)]
    chain = [await remembered(database, text) for text in texts]
    for one, other in pairwise(chain):
        await linked(database, one.id, other.id, 1.0)
    while (await curate(database, NS, MERGE)).counts["near_duplicate"]:
        pass

    assert len(await found(database)) == 1


# Dry runs, and several curators


async def mixed(database: Database) -> Sequence[Memory]:
    """Store something for every reason, and something that stays."""
    memories = [
        await remembered(database, text, salience=salience)
        for text, salience in (
            ("weak", 0.5), ("same", 0.8), ("same", 0.9), ("It is.", 0.8), ("it is", 0.9),
        )
    ]  # fmt: skip
    await linked(database, memories[3].id, memories[4].id, 0.99)
    return memories


async def test_a_dry_run_changes_nothing_and_tells_the_truth(database: Database) -> None:
    """Not a row is written anywhere; the pass after it does just what was said."""
    await mixed(database)
    before = await everything(database)
    dry = await curate(database, NS, BOTH, dry_run=True)
    unchanged = await everything(database) == before
    wet = await curate(database, NS, BOTH)

    assert unchanged
    assert (dry.dry_run, wet.dry_run) == (True, False)
    assert dry.counts == {"weak": 1, "duplicate": 1, "near_duplicate": 1}
    assert (dry.counts, dry.bytes, dry.looked_at) == (wet.counts, wet.bytes, wet.looked_at)
    assert [(s.id, s.reason, s.kept) for s in dry.samples] == [
        (s.id, s.reason, s.kept) for s in wet.samples
    ]


async def test_two_curators_do_it_once(database: Database) -> None:
    """While one is at a namespace the other is told so; what goes goes once."""
    await mixed(database)
    async with turn(database, NS):
        with pytest.raises(Conflict):
            await curate(database, NS, BOTH)
        assert set((await curate(database, OTHER, BOTH)).counts.values()) == {0}
    reports = await asyncio.gather(
        *(curate(database, NS, BOTH) for _ in range(2)), return_exceptions=True
    )
    counts = [each.counts for each in reports if not isinstance(each, Exception)]

    assert sum(sum(each.values()) for each in counts) == 3
    assert len(await fetch(database, "SELECT * FROM pinak.memory_archive")) == 1
    await check_statistics(database)


async def test_a_schedule_is_kept_by_all_curators_together(database: Database) -> None:
    """Two stacks' curators make one pass over each namespace in the interval."""
    async with database.service() as connection:
        ids = [
            await ensure_namespace(connection, NamespaceKey("acme", project))
            for project in ("one", "two")
        ]
    for namespace_id in ids:
        await remembered(database, "weak", namespace_id=namespace_id)
    went = [await curate_due(database, FORGET) for _ in range(2)]
    for namespace_id in ids:
        await remembered(database, "weak again", namespace_id=namespace_id)
    async with database.service() as connection:
        await connection.execute("UPDATE pinak.curations SET ended_at = now() - interval '2 hours'")

    assert went == [2, 0]
    assert await curate_due(database, CurationPolicy()) == 0
    async with database.service() as connection:
        await connection.execute("UPDATE pinak.curations SET ended_at = now() - interval '2 hours'")
    assert await curate_due(database, FORGET) == 2
