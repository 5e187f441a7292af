"""How likely each candidate answers: a logistic model of what does not depend on the corpus."""

from collections.abc import Sequence

import numpy as np

from pinak_ray.embedding import Knows
from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.relevance.features import features, question_of
from pinak_ray.recall.relevance.weights import load_weights
from pinak_ray.records.memory.rows import Row

__all__ = ["falling", "likelihoods"]


def likelihoods(
    query: str,
    rows: Sequence[Row],
    own: Scores,
    window: Scores,
    *,
    asks: Scores,
    dated: Scores,
    knows: Knows,
) -> Scores:
    """Return each candidate's likelihood to answer, in [0, 1], shape (n,).

    `own` and `window` are its cosines, NaN where there is none. What the model does not know has no
    meaning that could be compared: then words alone tell.
    """
    has_meaning = ~np.isnan(own) & _known(query, rows, knows)
    own, window = (np.where(has_meaning, each, np.nan) for each in (own, window))
    seen = features(question_of(query), rows, own, window, asks=asks, dated=dated)
    weights = load_weights()
    logits = np.where(has_meaning, seen @ weights.meaning, seen @ weights.words)
    chances: Scores = 1.0 / (1.0 + np.exp(-logits))
    says_it = np.array([row["content"] == query for row in rows], dtype=np.bool)
    return np.where(says_it, 1.0, chances)


def falling(chances: Scores) -> Scores:
    """Return chances along a ranking so that none is above one before it, shape (n,).

    A hit is as likely as the best at or behind it: the ranking knows more than this model does.
    """
    return np.maximum.accumulate(chances[::-1])[::-1]


def _known(
    query: str, rows: Sequence[Row], knows: Knows
) -> np.ndarray[tuple[int], np.dtype[np.bool]]:
    if not knows(query):
        return np.zeros(len(rows), dtype=np.bool)
    # Asked where it may be otherwise only: of a new text it costs 60 us.
    texts = (row["content"] for row in rows)
    return np.array([text.isascii() or knows(text) for text in texts], dtype=np.bool)
