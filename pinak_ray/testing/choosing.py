"""Which of a twin's memories a recall ranks, of the order in which each signal has them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pinak_ray.recall.copies import distinct_lists, shows_copies_once, walk_distinct
from pinak_ray.recall.paging import Turn, turn_of
from pinak_ray.recall.recipes import Recipe
from pinak_ray.records.memory.memories import Memory, content_hash
from pinak_ray.records.memory.recall import RecallRequest

__all__ = ["Chosen", "choose"]


class Chosen(NamedTuple):
    """The places of the candidates; a walk's turn; by content how many more memories have it."""

    places: Sequence[int]
    turn: Turn | None
    hidden: Mapping[bytes, int]


def choose(
    orders: Mapping[str, Sequence[int]],
    memories: Sequence[Memory],
    recipe: Recipe,
    request: RecallRequest,
) -> Chosen:
    """Return what the signals bring; each of the orders has all that pass, best first."""
    limits = {name: recipe.limit(name, request) for name in orders}
    if shows_copies_once(recipe, request):
        return _each_content(orders, memories, max(limits.values()), recipe, request)
    best = {name: order[: limits[name]] for name, order in orders.items()}
    if not recipe.is_walked:
        return Chosen(sorted(set().union(*best.values())), None, {})
    (alone,) = best.values()
    rest = alone[request.offset :]
    return Chosen(sorted(rest), turn_of([memories[at].id for at in rest], request), {})


def _each_content(
    orders: Mapping[str, Sequence[int]],
    memories: Sequence[Memory],
    limit: int,
    recipe: Recipe,
    request: RecallRequest,
) -> Chosen:
    listed = set().union(*orders.values())
    content_of = {at: memories[at].content for at in listed}
    if recipe.is_walked:
        (alone,) = orders.values()
        walk = walk_distinct(alone, content_of, request.offset, request.k)
        places, ids = sorted(walk.ids), [memories[at].id for at in walk.ids]
        turn = Turn(ids, walk.ends == len(alone), walk.places, walk.ends)
    else:
        lists = distinct_lists(orders, content_of, limit)
        places, turn = sorted(set().union(*lists.values())), None
    hidden = Counter(_hash(content_of[at]) for at in listed)
    hidden.subtract(_hash(content_of[at]) for at in places)
    return Chosen(places, turn, hidden)


def _hash(content: str) -> bytes:
    return content_hash(content.encode())
