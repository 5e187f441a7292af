"""Namespaces: one integer id for each (tenant, project)."""

from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.limits import check_name
from pinak_ray.store.database import Connection
from pinak_ray.store.queries import query

__all__ = ["ensure_namespace", "find_name"]


async def ensure_namespace(connection: Connection, key: NamespaceKey) -> int:
    """Return the namespace's id, making it on first use; raises InvalidInput on a bad name."""
    tenant, project = check_name("tenant", key.tenant), check_name("project", key.project)
    namespace_id = await connection.fetchval(query("namespaces", "find"), tenant, project)
    if namespace_id is None:
        await connection.execute(query("namespaces", "add"), tenant, project)
        namespace_id = await connection.fetchval(query("namespaces", "find"), tenant, project)
    return int(namespace_id)


async def find_name(connection: Connection, namespace_id: int) -> str:
    """Return the namespace's "tenant/project"; empty where there is none of this id."""
    return str(await connection.fetchval(query("namespaces", "name"), namespace_id) or "")
