"""The public keys at hand: read now and then, not for every request; so are known tokens."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import structlog

from pinak_ray.records.errors import PinakError, Unavailable
from pinak_ray.security.keys import PublicKey
from pinak_ray.security.tokens import Principal, key_id, verify_token

__all__ = ["KeyCache"]

# A withdrawn key must not hold for long, and a new one is found at once anyway (see `holding`).
_FRESH_S = 30.0
# The floor between two reads, so that tokens of unknown keys cannot become a load on PostgreSQL.
_PAUSE_S = 1.0
_LOAD_TIMEOUT_S = 5.0
# Verifying took a third of a request's own time. A known token is trusted for this long without
# looking again, so it may outlive its end by as much, and never the keys that it was verified with.
_TRUSTED_S = 5.0
_MAX_TRUSTED = 4_096

_log = structlog.get_logger()


class _Trusted(NamedTuple):
    principal: Principal
    keys: Mapping[str, PublicKey]
    verified_at: float


class KeyCache:
    """Keys by id, at most `fresh_s` seconds old while the stack answers."""

    def __init__(
        self,
        load: Callable[[], Awaitable[Mapping[str, PublicKey]]],
        *,
        fresh_s: float = _FRESH_S,
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._load = load
        self._fresh_s = fresh_s
        self._pause_s = pause_s
        self._keys: Mapping[str, PublicKey] | None = None
        self._asked_at = 0.0
        self._trusted: dict[str, _Trusted] = {}
        self._lock = asyncio.Lock()

    async def principal(self, token: str) -> Principal:
        """Return who the token speaks for; raises Unauthorized that says why it does not hold."""
        now = time.monotonic()
        known = self._trusted.get(token)
        recent = known is not None and now - known.verified_at < _TRUSTED_S
        if known is not None and recent and known.keys is await self.all():
            return known.principal
        keys = await self.holding(key_id(token))
        principal = verify_token(token, keys)
        if len(self._trusted) >= _MAX_TRUSTED:
            self._trusted.clear()
        self._trusted[token] = _Trusted(principal, keys, now)
        return principal

    async def all(self) -> Mapping[str, PublicKey]:
        """Return the keys; raises Unavailable when they could never be read."""
        return await self._younger_than(self._fresh_s)

    async def holding(self, kid: str) -> Mapping[str, PublicKey]:
        """Return the keys, read again when `kid` is not among them: a new key works at once."""
        keys = await self.all()
        return keys if kid in keys else await self._younger_than(self._pause_s)

    async def _younger_than(self, age_s: float) -> Mapping[str, PublicKey]:
        if self._keys is not None and time.monotonic() - self._asked_at < age_s:
            return self._keys
        async with self._lock:  # the first caller reads, those who waited find it done
            if self._keys is None or time.monotonic() - self._asked_at >= age_s:
                await self._refresh()
            if self._keys is None:
                raise Unavailable("the keys that verify tokens cannot be read; try again")
            return self._keys

    async def _refresh(self) -> None:
        """Read the keys; where that fails, those at hand go on, as an outage revokes nothing."""
        try:
            async with asyncio.timeout(_LOAD_TIMEOUT_S):
                self._keys = dict(await self._load())
        except (PinakError, OSError, TimeoutError) as error:
            _log.warning("public_keys_unread", error=type(error).__name__)
        self._asked_at = time.monotonic()
