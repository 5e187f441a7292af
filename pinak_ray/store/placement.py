"""The stored placement: what a restarted supervisor or host finds, however it was scaled."""

import orjson

from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.topology import Placement
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

__all__ = ["load_placement", "store_placement"]


async def load_placement(database: Database) -> Placement | None:
    """Return the placement in force; None before the first start."""
    async with database.service() as connection:
        row = await connection.fetchrow(query("agent_state", "load_placement"))
    if row is None:
        return None
    dedicated = {
        Owner(namespace_id, Space(space), name): shard
        for namespace_id, space, name, shard in orjson.loads(row["dedicated"])
    }
    return Placement(row["version"], tuple(row["hosts"]), dedicated)


async def store_placement(database: Database, placement: Placement) -> None:
    """Put a placement into force; an older version than the stored one changes nothing."""
    dedicated = [[*owner, shard] for owner, shard in placement.dedicated.items()]
    async with database.service() as connection:
        await connection.execute(
            query("agent_state", "store_placement"),
            placement.version,
            list(placement.hosts),
            orjson.dumps(dedicated),
        )
