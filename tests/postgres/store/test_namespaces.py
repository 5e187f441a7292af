"""Namespaces: one id each, however many ask for it first."""

import asyncio

import pytest

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.store.database import Database
from pinak_ray.store.namespaces import ensure_namespace

pytestmark = pytest.mark.postgres


async def ensure(database: Database, tenant: str, project: str) -> int:
    """Return the id of a namespace."""
    async with database.service() as connection:
        return await ensure_namespace(connection, NamespaceKey(tenant, project))


async def test_racing_first_uses_agree_on_one_id(database: Database) -> None:
    """Everyone who asks at once gets the same id, and one row is there."""
    ids = await asyncio.gather(*(ensure(database, "acme", "shop") for _ in range(20)))
    async with database.service() as connection:
        count = await connection.fetchval("SELECT count(*) FROM pinak.namespaces")

    assert (len(set(ids)), count) == (1, 1)


async def test_names_are_kept_apart(database: Database) -> None:
    """Tenant and project are two names: no way of writing them together makes them one."""
    pairs = [("a", "b"), ("b", "a"), ("a/b", "c"), ("a", "b/c"), ("A", "b"), ("ä", "b")]
    ids = [await ensure(database, *pair) for pair in pairs]

    assert len(pairs) == len(set(ids))
    assert ids == [await ensure(database, *pair) for pair in pairs]


@pytest.mark.parametrize("pair", [("", "b"), ("a", ""), ("a\x00", "b"), ("a" * 257, "b")])
async def test_a_bad_name_is_refused(database: Database, pair: tuple[str, str]) -> None:
    """Tenant and project must be names."""
    with pytest.raises(InvalidInput):
        await ensure(database, *pair)
