"""Copies on a real PostgreSQL: more of them than a signal brings candidates."""

from datetime import UTC, datetime, timedelta

import pytest

from pinak_ray.recall.recaller import Recaller
from pinak_ray.recall.zones import Zones
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.records.memory.recall import RecallResult, new_recall
from pinak_ray.store.database import Database
from pinak_ray.store.namespaces import ensure_namespace
from tests.support.remembered import EMBEDDER, index_all, register, remember_all

pytestmark = pytest.mark.postgres

NS = 7
COPIED = "the ferry waits for the tide"
OTHERS = [f"the ferry {what}" for what in ("sank", "is late", "left", "burns", "was painted red")]


@pytest.fixture
async def recaller(database: Database) -> Recaller:
    """A Recaller over 150 copies of one text and five others."""
    memories = [new_memory(NS, "ada", content) for content in (*OTHERS, *[COPIED] * 150)]
    model_id = await register(database)
    await remember_all(database, memories)
    await index_all(database, model_id)
    return Recaller(database, EMBEDDER, model_id)


async def pages(recaller: Recaller, recipe: str, k: int) -> list[RecallResult]:
    """Return all pages of a recall."""
    found = [await recaller.recall(NS, new_recall("ferry tide", k=k, recipe=recipe))]
    while (cursor := found[-1].cursor) is not None and len(found) < 20:
        request = new_recall("ferry tide", k=k, recipe=recipe, cursor=cursor)
        found.append(await recaller.recall(NS, request))
    return found


@pytest.mark.parametrize("recipe", ["default", "rrf", "lexical"])
@pytest.mark.parametrize("k", [2, 10])
async def test_copies_leave_room_for_others(recaller: Recaller, recipe: str, k: int) -> None:
    """All texts come, each once, and the copies are counted to the last one."""
    found = await pages(recaller, recipe, k)
    hits = [hit for page in found for hit in page.hits]
    assert sorted(hit.content for hit in hits) == sorted([COPIED, *OTHERS])
    assert {hit.content: hit.copies for hit in hits} == {COPIED: 150, **dict.fromkeys(OTHERS, 1)}
    assert all(len(page.hits) == k for page in found[:-1])
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_a_namespace_has_its_zone(database: Database) -> None:
    """The asker's moment is in the zone that they name, the namespace's, or the stack's."""
    async with database.service() as connection:
        east = await ensure_namespace(connection, NamespaceKey("acme", "east/1"))
        plain = await ensure_namespace(connection, NamespaceKey("acme", "plain"))
    zones = Zones(database, "-03:00", {"acme/east/1": "Asia/Tokyo"})
    asked, named = new_recall("what broke today?"), new_recall("what broke today?", zone="+05:30")
    for _ in range(2):
        for id_, request, hours in ((east, asked, 9), (plain, asked, -3), (east, named, 5.5)):
            moment = await zones.moment(id_, request)
            assert moment.utcoffset() == timedelta(hours=hours)
            assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)
