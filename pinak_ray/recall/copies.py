"""Copies: memories of one content are one hit, which says how many they are.

The best of them is shown, and of equally good ones the newest. Recipes that list by time list each:
there every memory is an event of its own.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.recipes import PHRASE, RECENCY, Recipe
from pinak_ray.records.memory.memories import content_hash
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.records.memory.rows import Row

__all__ = ["Group", "Walk", "distinct_lists", "grouped", "shows_copies_once", "walk_distinct"]

Id = TypeVar("Id", bound=Hashable)


class Group(NamedTuple):
    """Which of the rows stands for one content, and how many memories have it."""

    shown: int
    copies: int


class Walk(NamedTuple, Generic[Id]):
    """The next ids of a list, each the first of its content, and where each stands in the list."""

    ids: Sequence[Id]
    places: Sequence[int]
    ends: int
    """Behind the last place that was looked at."""


def shows_copies_once(recipe: Recipe, request: RecallRequest) -> bool:
    """Tell whether memories of one content are one hit."""
    return not request.every_copy and not ({PHRASE, RECENCY} & recipe.weights.keys())


def grouped(
    ranked: Sequence[int], rows: Sequence[Row], scores: Scores, hidden: Mapping[bytes, int]
) -> list[Group]:
    """Return the ranking's contents, best first; of equal scores the newest row is shown.

    `hidden` counts, by the hash of a content, the memories that are not among the rows.
    """
    groups: dict[str, Group] = {}
    for at in ranked:
        content = rows[at]["content"]
        known = groups.get(content)
        if known is None:
            more = hidden.get(content_hash(content.encode()), 0) if hidden else 0
            groups[content] = Group(at, 1 + more)
            continue
        is_as_good = scores[at] == scores[known.shown]
        is_newer = _age(rows[at]) > _age(rows[known.shown])
        groups[content] = Group(at if is_as_good and is_newer else known.shown, known.copies + 1)
    return list(groups.values())


def _age(row: Row) -> tuple[object, object]:
    return row["created_at"], row["id"]


def distinct_lists(
    lists: Mapping[str, Sequence[Id]], content_of: Mapping[Id, Hashable], limit: int
) -> dict[str, list[Id]]:
    """Return of each list the members of its first `limit` contents: of each the first and last.

    The last that a signal brings of equals is mostly the newest one.
    """
    return {name: _first_and_last(ids, content_of, limit) for name, ids in lists.items()}


def _first_and_last(ids: Sequence[Id], content_of: Mapping[Id, Hashable], limit: int) -> list[Id]:
    ends: dict[Hashable, tuple[Id, Id]] = {}
    for id_ in ids:
        content = content_of.get(id_)
        if content in ends:
            ends[content] = (ends[content][0], id_)
        elif content is not None and len(ends) < limit:
            ends[content] = (id_, id_)
    return list(dict.fromkeys(id_ for both in ends.values() for id_ in both))


def walk_distinct(
    ids: Sequence[Id], content_of: Mapping[Id, Hashable], offset: int, k: int
) -> Walk[Id]:
    """Return the next `k` contents of a list from `offset` on, without those before it.

    Of equals that stand together the last is taken, which is the newest.
    """
    seen = {content_of.get(id_) for id_ in ids[:offset]}
    places: list[int] = []
    ends, last = offset, None
    for place in range(offset, len(ids)):
        content = content_of.get(ids[place])
        if content is not None and content == last:
            places[-1] = place
        elif content is not None and content not in seen:
            if len(places) == k:
                break
            seen.add(content)
            places.append(place)
        last = content if places and places[-1] == place else None
        ends = place + 1
    return Walk([ids[place] for place in places], places, ends)
