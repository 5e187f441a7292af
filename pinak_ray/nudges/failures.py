"""Failures: which past ones an intent is warned of, if it is risky at all."""

from collections.abc import Sequence

from pinak_ray.nudges.evidence import Evidence
from pinak_ray.nudges.gate import THRESHOLD, judge

__all__ = ["FLOOR", "FLOOR_BY_WORDS", "choose", "warnings"]

# For 97 labelled intents (gate.py), 0.40 brings 3 more wrong warnings, 0.50 loses 2 right ones.
FLOOR = 0.45
# Where meanings cannot be compared: three quarters of all that words can say. Words alone are never
# more than weak evidence (0.4).
FLOOR_BY_WORDS = 0.3
# A second nudge must be nearly as good as the first; with three, precision falls to .75.
_NEAR_THE_BEST = 0.9


def warnings(
    text: str, failures: Sequence[Evidence], *, safe_similarity: float, k: int, floor: float = FLOOR
) -> list[tuple[Evidence, str]]:
    """Return at most `k` of the failures, given best first, each with the reason to warn of it."""
    if not failures:
        return []
    gate = judge(
        text,
        failure_similarity=failures[0].similarity,
        safe_similarity=safe_similarity,
        best_words=failures[0].words,
        crowd=failures[0].crowd,
    )
    if not gate.open:
        return []
    because = f"gate {gate.score:.2f} of {THRESHOLD} ({'; '.join(gate.reasons)})"
    return [(failure, f"{failure.reason}; {because}") for failure in choose(failures, k, floor)]


def choose(failures: Sequence[Evidence], k: int, floor: float = FLOOR) -> list[Evidence]:
    """Return at most `k` of the failures, given best first: above the floor and near the best."""
    audible = [failure for failure in failures if failure.audible >= floor][:k]
    return [each for each in audible if each.score >= _NEAR_THE_BEST * audible[0].score]
