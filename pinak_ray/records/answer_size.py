"""How large an answer may be: what is longer is a page, and says how to read on."""

from collections.abc import Iterable

__all__ = ["MAX_ANSWER_BYTES", "fitting"]

# Thirty of the largest memories. Who answers holds it three times while it is written, and sixty
# callers may ask at once; nobody reads more at a time.
MAX_ANSWER_BYTES = 4 * 1024 * 1024


def fitting(sizes: Iterable[int], *, parts: int = 1) -> int:
    """Return how many of these things, given by their bytes in order, one of its `parts` holds.

    The first always, so that who reads page by page comes to the end.
    """
    room, count = MAX_ANSWER_BYTES // parts, 0
    for size in sizes:
        room -= size
        if room < 0 and count:
            break
        count += 1
    return count
