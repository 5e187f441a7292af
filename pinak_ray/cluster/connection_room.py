"""Whether PostgreSQL has connections left for a stack, before the stack is started."""

from typing import Final

from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import SetupError
from pinak_ray.services.connections import needed
from pinak_ray.store.database import Connection

__all__ = ["check_room"]

_LEFT: Final = """
SELECT least(
  current_setting('max_connections')::int
    - CASE WHEN me.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0) END
    - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  CASE WHEN me.rolconnlimit >= 0 AND NOT me.rolsuper THEN me.rolconnlimit
    - (SELECT count(*) FROM pg_stat_activity WHERE usename = me.rolname) END,
  CASE WHEN d.datconnlimit >= 0 AND NOT me.rolsuper THEN d.datconnlimit
    - (SELECT count(*) FROM pg_stat_activity WHERE datname = d.datname) END
)::int
FROM pg_roles AS me, pg_database AS d
WHERE me.rolname = current_user AND d.datname = current_database()
"""


async def check_room(connection: Connection, settings: Settings, dsn: str) -> str | None:
    """Return a warning where the stack may want more connections than there are.

    Raises SetupError where there are too few for its parts to start at all.
    """
    left: int = await connection.fetchval(_LEFT)
    least, most = needed(settings.stack_config(dsn), gateways=settings.gateways)
    left += 1  # this one is given back
    if left >= most:
        return None
    said = (
        f"PostgreSQL has {max(left, 0)} connections left, and this stack needs {least} to start "
        f"and up to {most}: raise max_connections (or the CONNECTION LIMIT of the role or the "
        "database), or set PINAK_HOSTS, PINAK_GATEWAYS or PINAK_RECALLERS lower"
    )
    if left < least:
        raise SetupError(said)
    return said
