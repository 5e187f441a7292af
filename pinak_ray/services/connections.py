"""How many PostgreSQL connections each part holds at most, and a whole stack of them."""

from typing import Final, NamedTuple

from pinak_ray.services.config import StackConfig

__all__ = [
    "CHANGES_AT_ONCE",
    "CURATOR_POOL",
    "HOST_POOL",
    "INDEXER_POOL",
    "SEARCH_POOL",
    "SUPERVISOR_POOL",
    "Pool",
    "needed",
    "writer_pool",
]


class Pool(NamedTuple):
    """One part's pools: they open with a connection each, and grow as they are used."""

    service: int
    reader: int = 0

    @property
    def least(self) -> int:
        """With how many it starts."""
        return 1 + bool(self.reader)


HOST_POOL: Final = Pool(4)
CURATOR_POOL: Final = Pool(4)
SUPERVISOR_POOL: Final = Pool(4)
INDEXER_POOL: Final = Pool(9, 1)
SEARCH_POOL: Final = Pool(2, 4)
"""A gateway's and a recaller's."""

# Revisions and deletions have their own connections: they may wait for who settles a session.
# One for links, and one for `ping`: while every lane waits for a lock, it still tells the depth.
CHANGES_AT_ONCE: Final = 2
_UP: Final = Pool(1)


def writer_pool(config: StackConfig) -> Pool:
    """Return a writer's."""
    return Pool(config.writer_lanes + CHANGES_AT_ONCE + 2)


def needed(config: StackConfig, *, gateways: int) -> tuple[int, int]:
    """Return with how many connections a stack starts, and how many it holds at most."""
    pools = [
        *[HOST_POOL] * config.hosts,
        *[writer_pool(config)] * config.writers,
        *[INDEXER_POOL] * config.indexers,
        *[SEARCH_POOL] * (config.recallers + gateways),
        *(CURATOR_POOL, SUPERVISOR_POOL, _UP),
    ]
    return sum(pool.least for pool in pools), sum(pool.service + pool.reader for pool in pools)
