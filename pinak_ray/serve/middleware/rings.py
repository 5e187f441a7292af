"""The rings around each protocol, and what all of them share."""

from dataclasses import dataclass

from starlette.types import ASGIApp

from pinak_ray.concurrency.shares import Shares
from pinak_ray.serve.auth.keys import KeyCache
from pinak_ray.serve.middleware.body_limit import BodyLimit, Patience
from pinak_ray.serve.middleware.boundary import Boundary
from pinak_ray.serve.middleware.request_limit import RequestLimit
from pinak_ray.serve.protocol import HttpProtocol, Places
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["Limits", "Rings"]

# Each path has a share of them.
_MAX_PROBES = 96


MAX_REQUESTS = 1_024
MAX_WATCHERS = 2_048
MAX_BODY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one gateway takes on at once, of which each namespace has a share; more is refused."""

    max_requests: int = MAX_REQUESTS
    """Each may wait for up to its deadline, 30 s for a write."""
    max_watchers: int = MAX_WATCHERS
    max_body_bytes: int = MAX_BODY_BYTES
    body_timeout_s: float = 30.0
    body_silence_s: float = 10.0


class Rings:
    """What a namespace takes with one protocol, it does not have with another."""

    def __init__(
        self, limits: Limits, keys: KeyCache, metrics: Metrics, *, names_answers: bool
    ) -> None:
        self._places = {
            Places.REQUESTS: Shares(limits.max_requests),
            Places.WATCHERS: Shares(limits.max_watchers),
            Places.PROBES: Shares(_MAX_PROBES),
        }
        self._bodies = Shares(limits.max_body_bytes)
        self._patience = Patience(limits.body_timeout_s, limits.body_silence_s)
        self._keys = keys
        self._metrics = metrics
        self._names_answers = names_answers

    def around(self, protocol: HttpProtocol) -> ASGIApp:
        """Return the protocol's application within its rings."""
        app = BodyLimit(protocol, bodies=self._bodies, patience=self._patience)
        limited = RequestLimit(
            app, protocol, places=self._places, keys=self._keys, metrics=self._metrics
        )
        return Boundary(limited, protocol, metrics=self._metrics, names_answers=self._names_answers)
