"""Relevance along a ranking: never above that of a hit before it, on whatever page."""

from collections.abc import Mapping, Sequence

import numpy as np

from pinak_ray.embedding import Knows
from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.recipes import DATE, DENSE, QUESTION, WINDOW_DENSE
from pinak_ray.recall.relevance.relevance import falling, likelihoods
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.records.memory.rows import Row

__all__ = ["relevances"]

# More than most pages have, and a third of what a recall ranks: a row takes some 8 us.
_HEAD = 50


def relevances(
    ranked: Sequence[int],
    rows: Sequence[Row],
    signals: Mapping[str, Scores],
    request: RecallRequest,
    knows: Knows,
) -> dict[int, float]:
    """Return the relevance of the ranking's rows, best first, as far as the request needs it.

    `signals` are over all rows, flags included. The first ones are judged together, however far the
    page lies behind them, so that all pages agree.
    """
    head = max(_HEAD, request.depth)
    found = _judged(ranked[:head], rows, signals, request, knows, 1.0)
    last = min(found.values(), default=0.0)
    needed = 0.0 if request.trace else max(request.min_relevance or 0.0, request.min_score or 0.0)
    reaches_further = request.offset + request.k > head or request.trace or 0.0 < needed <= last
    if reaches_further:
        found |= _judged(ranked[head:], rows, signals, request, knows, last)
    else:
        found |= dict.fromkeys(ranked[head:], last)
    return found


def _judged(
    chosen: Sequence[int],
    rows: Sequence[Row],
    signals: Mapping[str, Scores],
    request: RecallRequest,
    knows: Knows,
    most: float,
) -> dict[int, float]:
    if not chosen:
        return {}
    places = np.array(chosen)
    unknown, no = np.full(len(places), np.nan), np.zeros(len(places))
    own = signals[DENSE][places] if DENSE in signals else unknown
    chances = likelihoods(
        request.query,
        [rows[at] for at in chosen],
        own,
        signals[WINDOW_DENSE][places] if WINDOW_DENSE in signals else own,
        asks=signals[QUESTION][places] if QUESTION in signals else no,
        dated=signals[DATE][places] if DATE in signals else no,
        knows=knows,
    )
    return dict(zip(chosen, np.minimum(falling(chances), most).tolist(), strict=True))
