"""Random graphs of links, and what is related in them: found plainly, path by path."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from pinak_ray.records.memory.links import LinkKind

Links = Mapping[tuple[UUID, UUID, LinkKind], float]
KINDS = (LinkKind.CAUSED_BY, LinkKind.SUPPORTS, LinkKind.FOLLOWS)


def random_links(seed: int, ids: Sequence[UUID]) -> Links:
    """Return about two links a memory; strengths of few digits, so that many are equal."""
    chance = random.Random(seed)
    links = {}
    for _ in range(2 * len(ids)):
        start, end = chance.sample(ids, 2)
        links[start, end, chance.choice(KINDS)] = chance.choice([0.25, 0.5, 0.75, 1.0])
    return links


def plainly_related(
    links: Links, start: UUID, *, depth: int, min_strength: float = 0.0, kinds: Sequence[LinkKind]
) -> dict[UUID, tuple[float, int]]:
    """Return (strength, depth) by memory: of every simple path of the shortest length the best."""
    best: dict[UUID, tuple[float, int]] = {}
    for length in range(1, depth + 1):
        found: dict[UUID, float] = {}
        for path in _paths(links, [start], length, kinds):
            earlier = [start, *(id_ for id_, (_, at) in best.items() if at < length)]
            if path[-1] in earlier or any(
                best.get(id_, (0, 0))[1] != at for at, id_ in enumerate(path[1:-1], 1)
            ):
                continue
            strength = 1.0
            for one, other in pairwise(path):
                strength *= max(_between(links, one, other, kinds))
            if strength >= min_strength:
                found[path[-1]] = max(found.get(path[-1], 0.0), strength)
        best |= {id_: (strength, length) for id_, strength in found.items()}
    return best


def _paths(
    links: Links, path: list[UUID], length: int, kinds: Sequence[LinkKind]
) -> Iterator[list[UUID]]:
    if len(path) == length + 1:
        yield path
        return
    ends = {id_ for start, end, _ in links for id_ in (start, end)}
    for end in ends - set(path):
        if _between(links, path[-1], end, kinds):
            yield from _paths(links, [*path, end], length, kinds)


def _between(links: Links, one: UUID, other: UUID, kinds: Sequence[LinkKind]) -> list[float]:
    return [
        strength
        for (start, end, kind), strength in links.items()
        if {start, end} == {one, other} and (not kinds or kind in kinds)
    ]
