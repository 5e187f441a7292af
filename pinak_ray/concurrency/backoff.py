"""How long to wait before each further try."""

import random
from collections.abc import Iterator

__all__ = ["backoff"]


def backoff(first_s: float, last_s: float, *, spread: float = 0.0) -> Iterator[float]:
    """Yield pauses that double from the first to the last, drawn around it by `spread` of it.

    Without a spread, who failed together tries again together.
    """
    pause = first_s
    while True:
        yield pause * random.uniform(1 - spread, 1 + spread)  # noqa: S311 - no secret
        pause = min(2 * pause, last_s)
