"""Deeper candidates, where copies of a few contents take the places of all others.

The signals bring ids, so that thousands cost little; of each content only the first and the last
that a signal brings are read.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from uuid import UUID

from pinak_ray.recall.candidates import Search
from pinak_ray.recall.copies import distinct_lists, shows_copies_once, walk_distinct
from pinak_ray.recall.paging import Turn
from pinak_ray.recall.ranking import Candidates, contents_with_evidence
from pinak_ray.store.queries import query

__all__ = ["distinct_candidates", "is_crowded"]

# By then other contents have turned up, or there are none; each id costs some 3 us to look up.
_DEEP = 4_096
# A walk looks further, a few at a time, and ends a page early at last.
_DEEPEST = 65_536


def is_crowded(search: Search, found: Candidates) -> bool:
    """Tell whether copies crowd out other contents, or more of them than were found exist.

    Whatever the page: all pages of a recall walk one ranking.
    """
    recipe, request = search.recipe, search.request
    if not shows_copies_once(recipe, request):
        return False
    contents = Counter(row["content"] for row in found.rows)
    if recipe.is_walked:
        return request.offset > 0 or len(contents) < len(found.rows)
    cut = [name for name, n in found.counts.items() if n >= recipe.limit(name, request)]
    if not cut or len(contents) == len(found.rows):
        return False
    if contents_with_evidence(found, recipe) < request.depth:
        return True
    by_id = {row["id"]: row["content"] for row in found.rows}
    return any(contents[by_id[id_]] > 1 for id_ in found.lasts if id_ in by_id)


async def distinct_candidates(search: Search, vector: bytes | None) -> Candidates:
    """Return the candidates of more contents, each of them once or twice."""
    request, recipe = search.request, search.recipe
    deep = max(request.offset + request.k + 1, 0 if recipe.is_walked else _DEEP)
    while True:
        lists = await replace(search, recipe=replace(recipe, candidates=deep)).lists(vector)
        content_of = await _contents(search, lists)
        counts = {name: len(lists[name]) for name in recipe.weights}
        if not recipe.is_walked:
            limits = {name: recipe.limit(name, request) for name in counts}
            kept = distinct_lists(lists, content_of, max(limits.values()))
            ids, turn = list(dict.fromkeys(chain.from_iterable(kept.values()))), None
            break
        (alone,) = counts
        walk = walk_distinct(lists[alone], content_of, request.offset, request.k)
        is_whole = len(lists[alone]) < deep
        if is_whole or walk.ends < len(lists[alone]) or deep >= _DEEPEST:
            is_last = is_whole and walk.ends == len(lists[alone])
            ids, turn = list(walk.ids), Turn(walk.ids, is_last, walk.places, walk.ends)
            break
        deep = min(4 * deep, _DEEPEST)
    rows, signals = await search.read(vector, ids)
    found = {id_ for ids_ in lists.values() for id_ in ids_}
    hidden = Counter(content_of[id_] for id_ in found if id_ in content_of)
    hidden.subtract(content_of[row["id"]] for row in rows if row["id"] in content_of)
    return Candidates(rows, {name: signals[name] for name in counts}, counts, turn, hidden=hidden)


async def _contents(search: Search, lists: Mapping[str, list[UUID]]) -> dict[UUID, bytes]:
    """Return the hash of each listed memory's content."""
    ids = list(set(chain.from_iterable(lists.values())))
    async with search.reading() as connection:
        rows = await connection.fetch(query("recall", "contents"), search.namespace_id, ids)
    return {row["id"]: row["content_hash"] for row in rows}
