"""Names from before they had one form, which a migration has brought to it."""

from typing import Final, NamedTuple

import asyncpg

from pinak_ray.store.database import Connection

__all__ = ["Renamed", "renamed_names"]

_COUNTS: Final = "SELECT count(*), count(*) FILTER (WHERE joined) FROM pinak.renamed_names"


class Renamed(NamedTuple):
    """How many names were changed, and how many of these joined one that was there."""

    names: int = 0
    joined: int = 0

    def __str__(self) -> str:
        return (
            f"{self.names:,} stored names were brought to their one form, {self.joined:,} of them "
            "joined another: pinak.renamed_names lists them"
        )


async def renamed_names(connection: Connection) -> Renamed:
    """Return what migrations renamed so far; nothing where the schema is not there yet."""
    try:
        row = await connection.fetchrow(_COUNTS)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return Renamed()
    assert row is not None
    return Renamed(*row)
