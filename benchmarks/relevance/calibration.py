"""Figures of relevance: how far it is from the truth, and what floors keep and let pass."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.relevance.pages import Page

__all__ = ["calibration_error", "curve", "kept_and_silent"]

_BINS = 10
_FLOORS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)
_UNANSWERABLE = ("unanswerable", "foreign", "nonsense")


def calibration_error(
    relevance: npt.NDArray[np.float64], answers: npt.NDArray[np.float64]
) -> float:
    """Return the expected calibration error over ten bins of equal width.

    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI 2015.
    """
    bins = np.minimum((relevance * _BINS).astype(int), _BINS - 1)
    apart = [
        abs(relevance[bins == each].sum() - answers[bins == each].sum()) for each in range(_BINS)
    ]
    return float(sum(apart)) / max(len(relevance), 1)


def kept_and_silent(
    pages: Sequence[Page], floor: float, best: float = 0.0
) -> dict[str, float | None]:
    """Return the share of the found evidence that a floor keeps, and of questions left unanswered.

    A page whose best hit is below `best` is empty.
    """

    def shown(page: Page) -> npt.NDArray[np.bool]:
        is_any = bool(len(page.relevance)) and page.relevance.max() >= best
        return (page.relevance >= floor) & is_any

    answerable = [page for page in pages if page.kind == "answerable"]
    found = sum(float(page.answers.sum()) for page in answerable)
    kept = sum(float(page.answers[shown(page)].sum()) for page in answerable)
    figures: dict[str, float | None] = {"evidence": round(kept / found, 4) if found else None}
    for kind in _UNANSWERABLE:
        silent = [not shown(page).any() for page in pages if page.kind == kind]
        figures[kind] = round(float(np.mean(silent)), 4) if silent else None
    return figures


def curve(pages: Sequence[Page]) -> dict[str, Any]:
    """Return what each of some floors would keep and leave unanswered."""
    return {f"{floor:g}": kept_and_silent(pages, floor) for floor in _FLOORS}
