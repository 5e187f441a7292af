"""LocalSwarm: the twin of `connect()`, in memory."""

from collections.abc import Callable
from datetime import UTC, datetime

from pinak_ray.client.swarm import Swarm
from pinak_ray.embedding import Embedder, HashingEmbedder
from pinak_ray.recall.reranking import Reranker
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.limits import check_name
from pinak_ray.records.memory.asker import zone_named
from pinak_ray.testing.transport import LocalTransport

__all__ = ["LocalSwarm"]


def _now() -> datetime:
    return datetime.now(UTC)


class LocalSwarm(Swarm):
    """A swarm for tests: the same handles, verbs and errors, held by this process alone.

    What it is not: durable (everything ends with the object; closing it forgets nothing), shared
    (handles pickle within this process only, and there is no `.remote()`), or fast with many
    memories (each recall looks at all of them). Every memory is searchable at once. Words are found
    as PostgreSQL finds them; scores are like the stack's, not equal to them.

    Two twins share nothing, unless one is made `beside` the other: then both are namespaces of one
    stack, with the other's embedder, clock and zone. The default `embedder` finds words, not
    meaning; one that is given stays the caller's to close. `clock` tells what has expired: move it
    on instead of waiting. `zone` is that of askers who name none. `reranker` puts the first hits in
    its own order: anything with `scores`, as `recall.reranking.Reranker` has it.
    """

    __slots__ = ()

    def __init__(
        self,
        tenant: str = "default",
        project: str = "default",
        *,
        beside: "LocalSwarm | None" = None,
        embedder: Embedder | None = None,
        clock: Callable[[], datetime] = _now,
        zone: str = "UTC",
        reranker: Reranker | None = None,
    ) -> None:
        namespace = NamespaceKey(check_name("tenant", tenant), check_name("project", project))
        transport = (
            LocalTransport(embedder or HashingEmbedder(), clock, zone_named(zone), reranker)
            if beside is None
            else beside.transport
        )
        assert isinstance(transport, LocalTransport)
        super().__init__(
            namespace, transport.id_of(namespace), transport.embedder.model.dimension, transport
        )
