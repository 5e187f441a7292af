"""Nudges on a real PostgreSQL: silent unless both the gate and the evidence speak."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from remembered import DIMENSION, EMBEDDER, index_all, register, remember

from pinak_ray.embedding import HashingEmbedder, Vectors
from pinak_ray.nudges import Nudger
from pinak_ray.nudges.gate import SAFE_PROTOTYPES
from pinak_ray.nudges.nudger import strength_of
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.nudges import Nudge, NudgeKind, Strength, new_intent
from pinak_ray.store.database import Database

pytestmark = pytest.mark.postgres

NS = 7
FAILURE = "deploy of the orders service failed: migration 42 locks the orders table"
INTENT = "deploy the orders service with migration 42"


class CountingEmbedder(HashingEmbedder):
    """Remembers every batch that it was asked for."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.batches: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed, and remember the batch."""
        self.batches.append(list(texts))
        return await super().embed(texts)


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database)


@pytest.fixture
async def nudger(database: Database, model_id: int) -> Nudger:
    """A Nudger over the test's database."""
    return Nudger(database, EMBEDDER, model_id)


async def ask(nudger: Nudger, text: str = INTENT, k: int = 1, **options: Any) -> tuple[Nudge, ...]:
    """Nudge in the test's namespace."""
    return await nudger.nudge(NS, new_intent(text, **options), k)


async def fail(database: Database, content: str = FAILURE, **fields: Any) -> Any:
    """Remember a failure."""
    return await remember(database, NS, content, outcome="failure", layer="episodic", **fields)


async def test_a_past_failure_warns(database: Database, nudger: Nudger, model_id: int) -> None:
    """A nudge says what failed, why it is shown, and carries the evidence."""
    failed = await fail(database)
    await index_all(database, model_id)
    (nudge,) = await ask(nudger)
    assert nudge.kind is NudgeKind.FAILURE
    assert nudge.message == f"This failed before: {FAILURE}"
    assert nudge.evidence[0].id == failed
    assert nudge.evidence[0].content == FAILURE
    assert "cosine" in nudge.reason
    assert "risk words: deploy" in nudge.reason
    assert nudge.strength is strength_of(nudge.score)


async def test_long_failures_are_quoted_in_part(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """The message holds 200 characters, the evidence all of them."""
    text = f"{FAILURE} {FAILURE} {FAILURE} {FAILURE}"
    await fail(database, text)
    await index_all(database, model_id)
    (nudge,) = await ask(nudger)
    assert nudge.message == f"This failed before: {text[:200]}"
    assert nudge.evidence[0].content == text


async def test_only_failures_are_evidence(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """Successes and plain notes never warn, however alike they are."""
    await remember(database, NS, INTENT, outcome="success")
    await remember(database, NS, INTENT)
    await index_all(database, model_id)
    assert await ask(nudger) == ()


async def test_harmless_intents_are_left_alone(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """The gate stays shut for what has nothing to do with a failure."""
    await fail(database)
    await index_all(database, model_id)
    assert await ask(nudger, "summarise the meeting notes") == ()


async def test_dead_failures_do_not_warn(database: Database, nudger: Nudger, model_id: int) -> None:
    """Expired and superseded failures are over."""
    expired = await fail(database, ttl_s=100)
    revised = await fail(database)
    await index_all(database, model_id)
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET expires_at = now() - interval '1 s' WHERE id = $1", expired
        )
        await connection.execute(
            "UPDATE pinak.memories SET superseded_by = id WHERE id = $1", revised
        )
    assert await ask(nudger) == ()


async def test_failures_without_a_vector_do_not_count_yet(
    database: Database, nudger: Nudger
) -> None:
    """An unindexed failure is silent, not an error."""
    await fail(database)
    assert await ask(nudger) == ()


async def test_other_namespaces_do_not_warn(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """Another tenant's failure stays theirs."""
    await remember(database, NS + 1, FAILURE, outcome="failure")
    await index_all(database, model_id)
    assert await ask(nudger) == ()


async def test_tool_and_arguments_are_part_of_the_intent(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """What the action itself says finds the failure that its description hides."""
    failed = await fail(database)
    await index_all(database, model_id)
    assert await ask(nudger, "go on") == ()
    arguments = {"command": "deploy orders service", "steps": ["migration 42 on orders table"]}
    (nudge,) = await ask(nudger, "go on", tool="kubectl", arguments=arguments)
    assert nudge.evidence[0].id == failed


async def test_k_bounds_the_nudges_best_first(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """More nudges come only when asked for, and only such as are nearly as good."""
    for number in range(3):
        await fail(database, f"{FAILURE} {number}")
    await fail(database, "coffee machine broke down")
    await index_all(database, model_id)
    assert len(await ask(nudger)) == 1
    nudges = await ask(nudger, k=10)
    assert len(nudges) == 3
    assert [nudge.score for nudge in nudges] == sorted((n.score for n in nudges), reverse=True)


@pytest.mark.parametrize("k", [0, -1, 11, True])
async def test_absurd_counts_are_refused(nudger: Nudger, k: int) -> None:
    """k must be from 1 to 10."""
    with pytest.raises(InvalidInput):
        await ask(nudger, k=k)


async def test_an_intent_is_embedded_once(database: Database, model_id: int) -> None:
    """The safe prototypes are embedded on first use only."""
    embedder = CountingEmbedder()
    nudger = Nudger(database, embedder, model_id)
    await ask(nudger, "first")
    await ask(nudger, "second")
    assert [len(batch) for batch in embedder.batches] == [len(SAFE_PROTOTYPES), 1, 1]


@pytest.mark.parametrize(
    ("score", "strength"),
    [(0.45, Strength.LOW), (0.55, Strength.MEDIUM), (0.7, Strength.HIGH), (1.4, Strength.HIGH)],
)
def test_strength_follows_the_score(score: float, strength: Strength) -> None:
    """The documented thresholds hold."""
    assert strength_of(score) is strength


def test_the_counting_embedder_is_the_hashing_one() -> None:
    """The test double lives in the same space as the stored vectors."""
    assert CountingEmbedder().model == EMBEDDER.model
    assert np.isfinite(DIMENSION)
