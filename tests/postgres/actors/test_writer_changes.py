"""The Writer's revisions and deletions come after what it has accepted."""

import asyncio

import pytest

from pinak_ray.actors.writer import Writer
from pinak_ray.embedding import EmbedderSpec
from pinak_ray.records.errors import Superseded
from pinak_ray.records.memory.memories import Ack, new_memory
from pinak_ray.records.memory.revisions import new_revision
from pinak_ray.records.operations import Forget, Revise
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.services.config import StackConfig
from pinak_ray.store.database import Database
from pinak_ray.store.memories.memories import encode_memory

pytestmark = pytest.mark.postgres

ADA = Owner(7, Space.AGENT, "ada")


async def test_what_was_accepted_can_be_changed(dsn: str, database: Database) -> None:
    """A receipt `accepted` is enough: what it promises is stored first, then changed."""
    writer = Writer(StackConfig(dsn, EmbedderSpec()), ())
    memories = [new_memory(7, "ada", f"orders {n}") for n in range(20)]
    await writer.accept([encode_memory(memory).row for memory in memories])
    gone = [writer.forget(Forget(ADA, memory.id)) for memory in memories[:10]]
    kept = [new_revision(7, "ada", memory.id, "now") for memory in memories[10:]]
    new = [writer.revise(Revise(revision, Ack.ACCEPTED), 0) for revision in kept]
    receipts = await asyncio.gather(*gone, *new)
    again = await writer.forget(Forget(ADA, memories[0].id))
    with pytest.raises(Superseded):
        await writer.revise(Revise(new_revision(7, "ada", memories[10].id, "late")), 0)
    await writer.drain()
    async with database.reading(7) as connection:
        rows = await connection.fetch(
            "SELECT id FROM pinak.lexical_candidates('{order}', 50, null)"
        )
        living = await connection.fetch(
            "SELECT id FROM pinak.memories WHERE superseded_by IS NULL AND expires_at IS NULL"
        )

    assert all(receipt.new and receipt.ack is Ack.DURABLE for receipt in receipts)
    assert not again.new
    assert rows == []
    assert {row["id"] for row in living} == {revision.memory.id for revision in kept}
