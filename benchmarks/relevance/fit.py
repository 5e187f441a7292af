"""Fit relevance's weights, and write them where the package reads them.

    python -m benchmarks.relevance.fit --data DATA/proactivemembench DATA/precisionmembench

Only data whose licence allows it: ProactiveMemBench and PrecisionMemBench (both MIT) and what
`benchmarks.learning` generates. Each data set weighs the same.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import numpy.typing as npt

import pinak_ray.recall.relevance
from benchmarks.datasets import Corpus, load_corpora
from benchmarks.relevance.__main__ import asked_pages
from benchmarks.relevance.pages import Page
from benchmarks.report import fresh_stack
from pinak_ray.recall.relevance.features import FEATURES, OF_MEANING

__all__ = ["fitted"]

_STEPS = 60
# Of standardised features; without it those that seldom differ take absurd weights.
_RIDGE = 1e-3
# To be silent matters more than to tell two answers apart, and entries asked as they are are easy.
_COUNTS = {"answerable": 1.0, "unanswerable": 1.0, "foreign": 3.0, "nonsense": 2.0, "itself": 0.2}
_GENERATED = {"people": "conversations", "assistants": "chats", "runs": "runs"}
_SEED, _EACH = 11, 6
_PROVENANCE = "benchmarks/relevance/fit.py on {}, by the serving model"


def fitted(
    features: npt.NDArray[np.float64],
    answers: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the weights of a logistic regression with a ridge, by Newton's method, shape (m,).

    `features` are (n, m), the first of them 1; `weights` say what each of the n rows counts.
    """
    middle, width = features.mean(0), features.std(0)
    width[width < 1e-9] = 1.0
    middle[0], width[0] = 0.0, 1.0
    scaled, found = (features - middle) / width, np.zeros(features.shape[1])
    ridge = np.full(len(found), _RIDGE)
    ridge[0] = 1e-9
    for _ in range(_STEPS):
        chances = 1.0 / (1.0 + np.exp(-scaled @ found))
        slope = scaled.T @ (weights * (chances - answers)) / weights.sum() + ridge * found
        bend = (scaled.T * (weights * chances * (1 - chances))) @ scaled / weights.sum()
        found -= np.linalg.solve(bend + np.diag(ridge), slope)
    plain: npt.NDArray[np.float64] = found / width
    plain[0] -= (plain[1:] * middle[1:]).sum()
    return plain


def of_pages(data: dict[str, list[Page]]) -> dict[str, dict[str, float]]:
    """Return the weights where meanings are compared, and where words alone are."""
    every = [page for pages in data.values() for page in pages if len(page.answers)]
    counts = {
        id(page): _COUNTS[page.kind] / sum(len(each.answers) for each in pages)
        for pages in data.values()
        for page in pages
    }
    features = np.concatenate([page.features for page in every])
    answers = np.concatenate([page.answers for page in every])
    weights = np.concatenate([np.full(len(page.answers), counts[id(page)]) for page in every])
    without = features.copy()
    without[:, [FEATURES.index(name) for name in OF_MEANING]] = 0.0
    return {
        part: {
            name: round(float(weight), 4)
            for name, weight in zip(FEATURES, fitted(seen, answers, weights), strict=True)
        }
        for part, seen in (("meaning", features), ("words", without))
    }


def main() -> None:
    """Fit and write."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.relevance.fit", description=__doc__
    )
    options.add_argument("--data", type=Path, nargs="+", required=True, help="files or folders")
    given = options.parse_args()
    data: dict[str, Sequence[Corpus]] = {
        name: list(getattr(import_module(f"benchmarks.learning.{name}"), makes)(_SEED, _EACH))
        for name, makes in _GENERATED.items()
    }
    for path in given.data:
        data[path.stem] = list(load_corpora(path))
    with fresh_stack(window_quiet_s=1.0, cache=False) as settings:
        pages = asyncio.run(asked_pages(settings, data, 10_000))
    said = {"provenance": _PROVENANCE.format(", ".join(data)), **of_pages(pages)}
    place = Path(pinak_ray.recall.relevance.__path__[0]) / "weights.json"
    place.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
