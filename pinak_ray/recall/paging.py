"""Pages: a slice of the ranking, and the cursor of the next one."""

from collections.abc import Sequence

from pinak_ray.records.recall import RecallRequest

__all__ = ["page"]


def page(kept: Sequence[int], request: RecallRequest) -> tuple[Sequence[int], str | None]:
    """Return the positions on the request's page and the next page's cursor, None on the last.

    `kept` is the whole ranking, best first, the same for every page: no hit comes twice and none is
    left out, as long as nothing is written, expires or is embedded in between.
    """
    end = request.offset + request.k
    return kept[request.offset : end], request.next_cursor if end < len(kept) else None
