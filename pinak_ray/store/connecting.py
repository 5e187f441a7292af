"""One connection, to the first of a connection string's hosts that takes it."""

from typing import Any
from urllib.parse import urlsplit

import asyncpg

from pinak_ray.store.faults import DATABASE_ERRORS

__all__ = ["connect"]

# asyncpg has one time for all hosts: a first one that swallows packets would eat it.
_HOST_TIMEOUT_S = 5.0


async def connect(dsn: str, **options: Any) -> Any:
    """Connect as asyncpg does, with 5 s for each host where there are several.

    Returns an asyncpg connection of the class that the options name; raises what the last host
    said.
    """
    hosts = _hosts(dsn)
    # Who would rather have a standby must see all hosts first.
    if len(hosts) == 1 or options.get("target_session_attrs") is None:
        return await asyncpg.connect(dsn, **options)
    options["timeout"] = min(_HOST_TIMEOUT_S, options.get("timeout", _HOST_TIMEOUT_S))
    *firsts, last = hosts
    for host in firsts:
        try:
            return await asyncpg.connect(host, **options)
        except DATABASE_ERRORS:
            continue
    return await asyncpg.connect(last, **options)


def _hosts(dsn: str) -> list[str]:
    """Return a connection string for each host that the authority of one names."""
    parts = urlsplit(dsn)
    user, at, hosts = parts.netloc.rpartition("@")
    return [parts._replace(netloc=f"{user}{at}{host}").geturl() for host in hosts.split(",")]
