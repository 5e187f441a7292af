"""How true relevance is, through the running stack.

    python -m benchmarks.relevance --data ../shared/data/locomo/locomo_dev.json --json

`ours` is the expected calibration error over the first ten hits of all questions: those that the
data answers, questions of the other data, nonsense, LoCoMo's trick questions, and entries as they
are. `floor` says what a context shows: the share of the evidence found in ten that it keeps, and
the shares of unanswerable questions to which it says nothing. `by_data` has both for each file.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import pinak_ray
from benchmarks.cache_load import generated
from benchmarks.datasets import Corpus, load_corpora
from benchmarks.recall import remember_all
from benchmarks.relevance.asked import foreign_to, questions
from benchmarks.relevance.calibration import calibration_error, curve, kept_and_silent
from benchmarks.relevance.pages import Page, pages
from benchmarks.report import fresh_stack, machine, parser, print_report, progress
from benchmarks.search.loading import settled
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.memory.recall import LEAST_BESIDE, LEAST_RELEVANT

__all__ = ["asked_pages"]


async def asked_pages(
    settings: Settings, data: dict[str, Sequence[Corpus]], most: int
) -> dict[str, list[Page]]:
    """Store all corpora and return the pages of their questions, by the name of the data."""
    every = [corpus for corpora in data.values() for corpus in corpora]
    found: dict[str, list[Page]] = {name: [] for name in data}
    for name, corpora in data.items():
        stored = []
        for number, corpus in enumerate(corpora):
            swarm = pinak_ray.connect(home=settings.home, project=f"relevance-{name}-{number}")
            progress(f"{name}: remembering {len(corpus.entries)} entries")
            stored.append((swarm, corpus, await remember_all(swarm, corpus)))
        await settled(settings)
        for swarm, corpus, keys in stored:
            asked = list(questions(corpus, foreign_to(corpus, every)))[:most]
            progress(f"{name}: asking {len(asked)} questions")
            found[name] += await pages(swarm, asked, keys)
    return found


def figures(found: Sequence[Page]) -> dict[str, Any]:
    """Return the figures of some pages."""
    relevance = np.concatenate([page.relevance for page in found])
    answers = np.concatenate([page.answers for page in found])
    own = [page for page in found if page.kind == "answerable"]
    return {
        "calibration_error": round(calibration_error(relevance, answers), 4),
        "of_answerable": round(
            calibration_error(
                np.concatenate([page.relevance for page in own]),
                np.concatenate([page.answers for page in own]),
            ),
            4,
        ),
        "floor": kept_and_silent(found, LEAST_BESIDE, LEAST_RELEVANT),
        "by_floor": curve(found),
        "questions": len(found),
        "hits": len(relevance),
    }


def main() -> None:
    """Measure and print."""
    options = parser("relevance", __doc__ or "")
    options.add_argument("--data", type=Path, nargs="*", default=[], help="files or folders")
    options.add_argument("--most", type=int, default=10_000, help="questions of a corpus")
    given = options.parse_args()
    data: dict[str, Sequence[Corpus]] = {
        path.stem: list(load_corpora(path)) for path in given.data
    } or {"generated": [generated()]}
    where = machine()
    with fresh_stack(window_quiet_s=1.0, cache=False) as settings:
        found = asyncio.run(asked_pages(settings, data, given.most))
    whole = figures([page for each in found.values() for page in each])
    print_report(
        {
            "name": "relevance",
            "unit": "expected calibration error",
            "ours": whole["calibration_error"],
            "reference": 0.05,
            "reference_is": "the most that is allowed",
            "ratio": round(whole["calibration_error"] / 0.05, 3),
            "rounds": 1,
            "spread": 0.0,
            **whole,
            "by_data": {name: figures(each) for name, each in found.items()},
            "machine": where,
        }
    )


if __name__ == "__main__":
    main()
