"""Listwise fitting: weights under which what answers a question comes before what does not.

A softmax over a question's candidates against its evidence (ListNet's top-one loss, Cao et al.,
"Learning to rank: from pairwise approach to listwise approach", ICML 2007), by Adam (Kingma and Ba,
2015), pulled towards the recipe made by hand: what the data do not say stays as it was.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pinak_ray.recall.learned.features import FEATURES, Matrix

__all__ = ["Question", "fit"]

# The recipe `fused` as weights of features, and how steep it is as a softmax.
_BY_HAND = {
    "dense": 0.25,
    "lexical": 0.25,
    "window_dense": 0.25,
    "window_lexical": 0.25,
    "agent": 1.0,
    "date": 1.0,
    "question": -0.5,
}
_STEEPNESS = 2.2
# Evidence never speaks against a candidate.
_EVIDENCE = frozenset({
    "dense", "lexical", "window_dense", "window_lexical", "lexical_share", "window_lexical_share",
})  # fmt: skip
_STEPS, _RATE = 150, 0.03
# A feature that nearly never differs among candidates says little, however well it fits.
_LEAST_SPREAD = 0.1


class Question(NamedTuple):
    """One question's candidates: their features, shape (n, m), and which of them answer."""

    group: str
    """What is held out together: a conversation, a persona."""
    features: Matrix
    answers: npt.NDArray[np.bool]
    share: float = 1.0
    """How much it counts."""


def fit(questions: Sequence[Question], *, pull: float) -> dict[str, float]:
    """Return the weight of each feature; `pull` is that of the distance from the hand-made ones.

    Questions without an answer among their candidates teach nothing and are left out.
    """
    used = [one for one in questions if one.answers.any() and not one.answers.all()]
    counts = np.array([len(one.answers) for one in used])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    of = np.repeat(np.arange(len(used)), counts)
    shares = np.array([one.share for one in used])
    shares /= shares.sum()
    x = np.concatenate([one.features - one.features.mean(axis=0) for one in used])
    wanted = np.concatenate([one.answers / one.answers.sum() for one in used])
    spread = np.sqrt((np.square(x) * (shares / counts)[of][:, None]).sum(axis=0))
    spread = np.maximum(spread, _LEAST_SPREAD)
    x /= spread
    by_hand = _STEEPNESS * spread * [_BY_HAND.get(name, 0.0) for name in FEATURES]
    evidence = np.array([name in _EVIDENCE for name in FEATURES])
    weights, mean, square = by_hand.copy(), np.zeros_like(spread), np.zeros_like(spread)
    for step in range(1, _STEPS + 1):
        scores = x @ weights
        likely = np.exp(scores - np.maximum.reduceat(scores, starts)[of])
        likely /= np.add.reduceat(likely, starts)[of]
        slope = x.T @ ((likely - wanted) * shares[of]) + pull * (weights - by_hand)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * np.square(slope)
        weights -= _RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        weights = np.where(evidence, np.maximum(weights, 0.0), weights)
    return dict(zip(FEATURES, (weights / spread).tolist(), strict=True))
