"""Pages: a slice of the ranking, and the cursor of the next one.

A recipe that fuses signals ranks the union of what each brought, and its pages walk that. One of a
single signal is walked to the end: each page asks the signal for as much as it needs, and takes its
own turn of what comes, in the signal's own order.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from pinak_ray.records.recall import RecallRequest

__all__ = ["Turn", "page", "turn_of"]


class Turn(NamedTuple):
    """What one page takes of a single signal's order, and whether more follows."""

    ids: Sequence[UUID]
    is_last: bool


def turn_of(ids: Sequence[UUID], request: RecallRequest) -> Turn:
    """Return the turn of what follows the earlier pages' hits, best first."""
    return Turn(ids[: request.k], len(ids) <= request.k)


def page(kept: Sequence[int], request: RecallRequest) -> tuple[Sequence[int], str | None]:
    """Return the positions on the request's page and the next page's cursor, None on the last.

    `kept` is the whole ranking, best first, the same for every page: no hit comes twice and none is
    left out, as long as nothing is written, expires or is embedded in between.
    """
    end = request.offset + request.k
    return kept[request.offset : end], request.next_cursor if end < len(kept) else None
