"""Links in a dictionary, and what `links.sql` finds along them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from pinak_ray.recall.expansion import expand
from pinak_ray.recall.related import unknown_memory, walk
from pinak_ray.records.memory.links import (
    FRONTIER,
    LEAST_COSINE,
    LINKS_EACH,
    SIMILAR,
    Link,
    LinkKey,
    LinkKind,
    Related,
)
from pinak_ray.records.memory.memories import Memory, Receipt
from pinak_ray.records.memory.recall import Filters, RecallRequest, RecallResult
from pinak_ray.records.memory.rows import Reached
from pinak_ray.records.operations import ChangeLink, ReadRelated
from pinak_ray.testing.memories import LocalMemories

__all__ = ["LocalLinks"]


@dataclass(slots=True)
class LocalLinks:
    """The links of every namespace of one twin. Similar memories are linked when links are read."""

    memories: LocalMemories
    _links: dict[LinkKey, Link] = field(default_factory=dict)
    _linked: set[tuple[int, UUID]] = field(default_factory=set)

    def change(self, operation: ChangeLink) -> Receipt:
        """Make or remove a link; raises NotFound where it would lead to or from nothing."""
        change, ack = operation.change, operation.ack
        new = (change.key in self._links) == (change.strength is None)
        if change.strength is None:
            self._links.pop(change.key, None)
            return Receipt(change.id, ack, new)
        namespace_id, from_id, to_id, _ = change.key
        for memory_id in (from_id, to_id):
            if not self.memories.has(namespace_id, memory_id):
                raise unknown_memory(memory_id)
        old = self._links.get(change.key)
        created_at = self.memories.clock() if old is None else old.created_at
        self._links[change.key] = Link(
            from_id, to_id, change.kind, change.strength, change.author, created_at
        )
        return Receipt(change.id, ack, new)

    async def related(self, operation: ReadRelated) -> tuple[Related, ...]:
        """Return what is related to a memory; raises NotFound if it is not there."""
        namespace_id, request = operation.namespace_id, operation.request
        if not self.memories.has(namespace_id, request.memory_id):
            raise unknown_memory(request.memory_id)
        await self._link_similar(namespace_id)
        step = partial(
            self._step,
            namespace_id,
            self.memories.passing(namespace_id, Filters()),
            kinds=request.kinds,
            min_strength=request.min_strength,
        )
        return await walk([request.memory_id], step, depth=request.depth, k=request.k)

    async def expanded(
        self, namespace_id: int, request: RecallRequest, result: RecallResult
    ) -> RecallResult:
        """Return the result with its hits' neighbours, where the request asks for them."""
        if not request.expand or not result.hits:
            return result
        await self._link_similar(namespace_id)
        passing = self.memories.passing(namespace_id, request.filters)
        return await expand(request, result, partial(self._step, namespace_id, passing))

    async def _step(
        self,
        namespace_id: int,
        passing: Mapping[UUID, Memory],
        frontier: Mapping[UUID, float],
        seen: Collection[UUID],
        *,
        kinds: Collection[LinkKind] = (),
        min_strength: float = 0.0,
    ) -> list[Reached]:
        best: dict[UUID, Reached] = {}
        for start, strength in frontier.items():
            for end, link in self._from(namespace_id, start, kinds):
                path = strength * link.strength
                if end in seen or end not in passing or path < min_strength:
                    continue
                row: Any = passing[end]._asdict()
                reached = Reached(row, path, link)
                best[end] = min(best.get(end, reached), reached, key=_strongest)
        return sorted(best.values(), key=lambda each: (-each.strength, each.row["id"]))[:FRONTIER]

    def _from(
        self, namespace_id: int, start: UUID, kinds: Collection[LinkKind]
    ) -> Iterator[tuple[UUID, Link]]:
        """Yield the strongest links of one memory, each way, with where they lead."""
        links = [
            link
            for (namespace, *_), link in self._links.items()
            if namespace == namespace_id and (not kinds or link.kind in kinds)
        ]
        for near, far in (("from_id", "to_id"), ("to_id", "from_id")):
            own = [(getattr(link, far), link) for link in links if getattr(link, near) == start]
            own.sort(key=lambda each: (-each[1].strength, each[0], each[1].kind))
            yield from islice(own, LINKS_EACH)

    async def _link_similar(self, namespace_id: int) -> None:
        await self.memories.embed(namespace_id)
        now = self.memories.clock()
        for memory_id in self.memories.passing(namespace_id, Filters()):
            if (namespace_id, memory_id) in self._linked:
                continue
            self._linked.add((namespace_id, memory_id))
            near = self.memories.nearest(namespace_id, memory_id, k=SIMILAR, least=LEAST_COSINE)
            for other, cosine in near.items():
                newer, older = max(memory_id, other), min(memory_id, other)
                key = namespace_id, newer, older, LinkKind.SIMILAR.value
                found = Link(newer, older, LinkKind.SIMILAR, min(1.0, cosine), None, now)
                self._links.setdefault(key, found)


def _strongest(reached: Reached) -> tuple[Any, ...]:
    link = reached.link
    return -reached.strength, link.from_id, link.to_id, link.kind
