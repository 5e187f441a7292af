"""Pages: a slice of the ranking, and the cursor of the next one.

A recipe that fuses signals ranks the union of what each brought, and its pages walk that. One of a
single signal is walked to the end: each page asks the signal for as much as it needs, and takes its
own turn of what comes, in the signal's own order.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from pinak_ray.records.answer_size import MAX_ANSWER_BYTES, fitting
from pinak_ray.records.limits import MAX_CONTENT_BYTES, MAX_DETAILS_BYTES
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.records.memory.rows import Row

__all__ = ["Turn", "page", "row_bytes", "turn_of", "turn_page"]

# So few hits fit an answer whatever they hold, and are not measured.
_FIT_ANYWAY = MAX_ANSWER_BYTES // (2 * (MAX_CONTENT_BYTES + MAX_DETAILS_BYTES))


class Turn(NamedTuple):
    """What one page takes of a single signal's order, and whether more follows."""

    ids: Sequence[UUID]
    is_last: bool
    places: Sequence[int] = ()
    """Where each stands in the order, for one that leaves some out; else they follow each other."""
    ends: int | None = None
    """Behind the last place that it looked at, likewise."""


def turn_of(ids: Sequence[UUID], request: RecallRequest) -> Turn:
    """Return the turn of what follows the earlier pages' hits, best first."""
    return Turn(ids[: request.k], len(ids) <= request.k)


def page(
    kept: Sequence[int], rows: Sequence[Row], request: RecallRequest
) -> tuple[Sequence[int], str | None]:
    """Return the positions on the request's page and the next page's cursor, None on the last.

    `kept` is the whole ranking, best first, the same for every page: no hit comes twice and none is
    left out, as long as nothing is written, expires or is embedded in between. A page ends early
    where its hits would be more than one answer holds.
    """
    chosen = _fitting(kept[request.offset : request.offset + request.k], rows)
    end = request.offset + len(chosen)
    return chosen, request.cursor_to(end) if end < len(kept) else None


def turn_page(
    turn: Turn, kept: Collection[int], rows: Sequence[Row], request: RecallRequest
) -> tuple[Sequence[int], str | None]:
    """Return the positions on a walk's page and the next page's cursor, None on the last.

    `kept` are the positions above the floor; below it are all that follow the first one there.
    """
    place = {row["id"]: at for at, row in enumerate(rows)}
    there = [place[id_] for id_ in turn.ids if id_ in place]
    wanted = [at for at in there if at in kept]
    chosen = _fitting(wanted, rows)
    if len(chosen) < len(wanted):
        walked = list(turn.ids).index(rows[wanted[len(chosen)]]["id"])
        next_ = turn.places[walked] if turn.places else request.offset + walked
        return chosen, request.cursor_to(next_)
    is_last = turn.is_last or len(wanted) < len(there)
    ends = request.offset + request.k if turn.ends is None else turn.ends
    return chosen, None if is_last else request.cursor_to(ends)


def _fitting(chosen: Sequence[int], rows: Sequence[Row]) -> Sequence[int]:
    if len(chosen) <= _FIT_ANYWAY:
        return chosen
    return chosen[: fitting(row_bytes(rows[at]) for at in chosen)]


def row_bytes(row: Row) -> int:
    """Return about how many bytes a memory's row adds to an answer."""
    return len(row["content"].encode()) + len(row["details"])
