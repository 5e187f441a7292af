"""A receipt for what was there already waits for the standbys, as one for a new row does."""

from typing import Final

from pinak_ray.store.database import Connection

__all__ = ["await_standbys"]

# A transaction that wrote nothing does not wait for a standby. What an earlier try of the same call
# stored may have reached only this server: a time limit ends the wait for the standby, and not the
# commit. A message in the log is a write, and its commit waits for all that was written before.
_MESSAGE: Final = (
    "SELECT pg_logical_emit_message(true, 'pinak', '') "
    "WHERE current_setting('synchronous_standby_names') <> ''"
)


async def await_standbys(connection: Connection) -> None:
    """Have the caller's transaction end only once what it found is on the standbys, if there are.

    Outside of a transaction it waits here.
    """
    await connection.execute(_MESSAGE)
