"""Filters in SQL against a plain predicate, and what was believed at a time."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.memories import Layer, Outcome, new_memory
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.store.database import Database
from tests.support.passing import passes
from tests.support.remembered import EMBEDDER, index_all, register, remember, remember_all

pytestmark = pytest.mark.postgres

NS = 7
DAY = datetime(2026, 3, 1, tzinfo=UTC)
FEW = ("a", "b", "c")
RECIPES = ("recent", "exact", "lexical", "default")


def some(random: Random, of: tuple[str, ...], most: int = 2) -> list[str]:
    """Return none to `most` of them."""
    return random.sample(of, random.randint(0, most))


def any_memory(random: Random) -> dict[str, Any]:
    """Return remember's arguments."""
    return {
        "agent": random.choice(FEW),
        "session": random.choice((None, *FEW)),
        "layer": random.choice(list(Layer)),
        "tags": some(random, FEW, 3),
        "entities": some(random, FEW, 3),
        "outcome": random.choice((None, *Outcome)),
        "occurred_at": DAY + timedelta(hours=random.randint(0, 4)),
    }


def any_filters(random: Random) -> dict[str, Any]:
    """Return some of recall's filters."""
    filters: dict[str, Any] = {
        "layers": some(random, tuple(Layer)),
        "agents": some(random, FEW),
        "sessions": some(random, FEW),
        "tags": some(random, FEW),
        "any_tags": some(random, FEW),
        "no_tags": some(random, FEW),
        "entities": some(random, FEW),
        "outcome": random.choice((None, *Outcome)),
        "since": DAY + timedelta(hours=random.randint(0, 2)),
        "until": DAY + timedelta(hours=random.randint(3, 5)),
    }
    return {name: filters[name] for name in random.sample(list(filters), random.randint(1, 4))}


async def found(database: Database, model_id: int, **asked: Any) -> list[str]:
    """Return the contents that a recall finds, sorted."""
    result = await Recaller(database, EMBEDDER, model_id).recall(NS, new_recall(**asked))
    return sorted(hit.content for hit in result.hits)


async def test_they_leave_what_the_predicate_leaves(database: Database) -> None:
    """Any combination of filters, in every way to find memories."""
    model_id = await register(database)
    random = Random(4)
    memories = [any_memory(random) for _ in range(48)]
    await remember_all(
        database, [new_memory(NS, content=f"orders {n:02}", **m) for n, m in enumerate(memories)]
    )
    await index_all(database, model_id)
    some_left = 0
    for _ in range(60):
        asked = any_filters(random)
        expected = [f"orders {n:02}" for n, memory in enumerate(memories) if passes(memory, asked)]
        some_left += 0 < len(expected) < len(memories)
        for recipe in RECIPES:
            ask = {"query": "orders", "recipe": recipe, "k": 50, **asked}
            assert (asked, recipe, await found(database, model_id, **ask)) == (
                asked, recipe, expected,
            )  # fmt: skip
    assert some_left > 20  # else the filters above would test nothing


@pytest.mark.parametrize("recipe", RECIPES)
async def test_as_of_goes_back(database: Database, recipe: str) -> None:
    """Stored by then; superseded or expired later; each at its own instant, not one before."""
    model_id = await register(database)
    first, second, third = (datetime.now(UTC) - timedelta(minutes=n) for n in (30, 20, 10))
    ids = [await remember(database, NS, f"orders {name}") for name in ("old", "new", "brief")]
    await index_all(database, model_id)
    async with database.service() as connection:
        await connection.executemany(
            "UPDATE pinak.memories SET created_at = $2, superseded_at = $3, superseded_by = $4,"
            " expires_at = $5 WHERE id = $1",
            [
                (ids[0], first, second, ids[1], None),
                (ids[1], second, None, None, None),
                (ids[2], first, None, None, third),
            ],
        )

    async def believed(as_of: datetime | None) -> list[str]:
        return await found(database, model_id, query="orders", recipe=recipe, as_of=as_of)

    instant = timedelta(microseconds=1)
    assert await believed(first - instant) == []
    assert await believed(first) == ["orders brief", "orders old"]
    assert await believed(second - instant) == ["orders brief", "orders old"]
    assert await believed(second) == ["orders brief", "orders new"]
    assert await believed(third - instant) == ["orders brief", "orders new"]
    assert await believed(third) == await believed(None) == ["orders new"]
