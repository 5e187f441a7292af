"""Public keys in PostgreSQL: what every gateway replica verifies tokens with."""

from collections.abc import Iterable
from datetime import timedelta

from pinak_ray.security.keys import PublicKey
from pinak_ray.security.tokens import DEFAULT_OVERLAP
from pinak_ray.store.database import Connection
from pinak_ray.store.queries import query

__all__ = ["live_keys", "publish_keys", "retire_keys", "withdraw_keys"]


async def publish_keys(connection: Connection, keys: Iterable[PublicKey]) -> None:
    """Publish these keys; one that is published already stays as it is, retired ones too."""
    listed = list(keys)
    await connection.execute(
        query("signing_keys", "publish"),
        [key.kid for key in listed],
        [key.pem for key in listed],
    )


async def live_keys(
    connection: Connection, *, overlap: timedelta = DEFAULT_OVERLAP
) -> dict[str, PublicKey]:
    """Return the keys whose tokens may still hold, by id, oldest first."""
    rows = await connection.fetch(query("signing_keys", "live"), overlap)
    keys = (PublicKey.from_pem(row["public_key"], retired_at=row["retired_at"]) for row in rows)
    return {key.kid: key for key in keys}


async def retire_keys(connection: Connection, kids: Iterable[str]) -> None:
    """Retire these keys as of now: their tokens hold until the overlap has passed."""
    await connection.execute(query("signing_keys", "retire"), list(kids))


async def withdraw_keys(connection: Connection, kids: Iterable[str]) -> None:
    """Forget these keys at once: every token of theirs ends. For a key that was stolen."""
    await connection.execute(query("signing_keys", "withdraw"), list(kids))
