"""An embedded server without our roles, as one of somebody else is, or of an earlier version."""

import asyncpg

from pinak_ray.cluster.postgres.server import EmbeddedPostgres

__all__ = ["make_bare"]


async def make_bare(server: EmbeddedPostgres) -> None:
    """Leave the running server nothing but its superuser and an empty database of his."""
    connection = await asyncpg.connect(server.admin_dsn.replace("@/pinak?", "@/postgres?"))
    try:
        await connection.execute("DROP DATABASE pinak WITH (FORCE)")
        await connection.execute("DROP ROLE pinak_service")
        await connection.execute("DROP ROLE pinak_app")
        await connection.execute("CREATE DATABASE pinak")
    finally:
        await connection.close()
    for name in ("service-password", "reader-password"):
        (server.home / name).unlink()
