"""What every actor of one stack is started with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pinak_ray.embedding import EmbedderSpec
from pinak_ray.embedding.endpoint.rerank import RerankSpec
from pinak_ray.recall.cache.answers import CachePolicy
from pinak_ray.records.memory.curation import CurationPolicy

__all__ = ["StackConfig"]


@dataclass(frozen=True, slots=True)
class StackConfig:
    """One stack: its database, its embedder, and how many of each actor.

    Counts are for one machine of two cores; `pinak-ray up` derives them from the cores it finds.
    """

    dsn: str = field(repr=False)
    """Holds a password, so it is not part of any repr or log."""
    embedder: EmbedderSpec
    """The configured one: it serves until another is switched to."""
    rerank: RerankSpec | None = None
    """Who puts the first hits in another order; None: nobody."""
    reader_dsn: str | None = field(default=None, repr=False)
    """As whom reading connections log in; None: as the service, switched to the reading role."""
    api_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of further embedding endpoints, by URL."""
    record_queries: float = 0.0
    """The share of queries that is kept for a week, to compare models by."""
    hosts: int = 2
    writers: int = 1
    recallers: int = 1
    indexers: int = 1
    gateway_requests: int = 1024
    """Requests that one gateway answers at once; each may wait for up to its deadline."""
    writer_lanes: int = 2
    """Transactions a writer has in flight; past two a core they only wait for each other."""
    writer_capacity: int = 16_384
    """Memories that may wait in one writer: about half a second of work."""
    host_memory_bytes: int = 1 << 30
    """What a host may hold of active agents; beyond it the least recently used are passivated."""
    host_idle_s: float = 600.0
    """An agent that was not used this long is passivated."""
    window_quiet_s: float = 10.0
    """A session is taken to have ended, for now, when nothing came for so long."""
    nudge_cooldown_s: float = 600.0
    """For so long an agent is not shown again what it was shown."""
    auto_links: bool = True
    """Indexers link each memory to the ones most like it."""
    cache: CachePolicy = field(default_factory=CachePolicy)
    """The cache of recall, one in each gateway and recaller."""
    zone: str = "UTC"
    """The asker's, where neither the recall nor its namespace names one."""
    zones: Mapping[str, str] = field(default_factory=dict)
    """Those of namespaces, by "tenant/project"."""
    vectors_bytes: int = 256 << 20
    """Of the vectors that one gateway or recaller compares itself."""
    curation: CurationPolicy = field(default_factory=CurationPolicy)
    """What the Curator merges and forgets: nothing by default."""
    cpu_resource: dict[str, float] = field(default_factory=dict)
    """Custom Ray resources that keep actors on worker nodes; none on one machine."""
