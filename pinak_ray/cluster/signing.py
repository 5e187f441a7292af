"""The stack's signing keys: changed at home and in the database."""

from typing import Any

from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import InvalidInput, SetupError
from pinak_ray.security.keys import KeyRing
from pinak_ray.store.database import Database
from pinak_ray.store.signing_keys import live_keys, publish_keys, retire_keys, withdraw_keys

__all__ = ["own_ring", "rotate_keys", "shown_keys", "withdraw_key"]


def own_ring(settings: Settings) -> KeyRing:
    """Return the home's key ring; raises SetupError where there is none."""
    keys = settings.home / "keys"
    if not keys.is_dir():
        # Making a ring here would sign with a key that no gateway knows.
        raise SetupError(f"{settings.home} holds no signing keys; `pinak-ray up` makes them")
    return KeyRing.load_or_create(keys)


async def shown_keys(ring: KeyRing, database: Database) -> list[dict[str, Any]]:
    """Return each key whose tokens may still hold, oldest first."""
    async with database.service() as connection:
        live = await live_keys(connection)
    return [
        {"kid": key.kid, "signs": key.kid == ring.current.kid, "retired_at": key.retired_at}
        for key in live.values()
    ]


async def rotate_keys(ring: KeyRing, database: Database) -> KeyRing:
    """Sign with a new key from now on; tokens of the earlier ones hold until they expire."""
    turned = ring.rotate()
    async with database.service() as connection, connection.transaction():
        await publish_keys(connection, turned.public_keys)
        await retire_keys(connection, [key.kid for key in turned.public_keys[:-1]])
    return turned


async def withdraw_key(ring: KeyRing, database: Database, kid: str) -> None:
    """Forget a key at once, here and for every gateway: each token of it ends.

    Raises InvalidInput for the key that signs, and for one that is not known.
    """
    if kid == ring.current.kid:
        raise InvalidInput(f"{kid} signs; run `pinak-ray keys rotate` first")
    mine = any(key.kid == kid for key in ring.keys)
    async with database.service() as connection:
        if not mine and kid not in await live_keys(connection):
            raise InvalidInput(f"there is no key {kid!r}; `pinak-ray keys list` names them")
        await withdraw_keys(connection, [kid])
    if mine:  # last: while its file is there, the command can be repeated
        ring.discard(kid)
