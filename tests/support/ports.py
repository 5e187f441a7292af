"""A port for what a test starts by itself."""

import random

from pinak_ray.cluster.ports import is_free

# Below what systems give to outgoing connections: it is bound a moment after it was looked at.
_FIRST, _LAST = 20_000, 29_999


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    while True:
        port = random.randint(_FIRST, _LAST)
        if is_free("127.0.0.1", port):
            return port
