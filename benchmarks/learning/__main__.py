"""Train the weights of learned fusion, and say how well they do on what was held out.

    python -m benchmarks.learning --proactive ../shared/data/proactivemembench --kept /tmp/vectors

Trained on ProactiveMemBench (MIT) and on talk of our own, which this command makes from templates
by a seed: people, chats with an assistant, agents' runs. The result is the file that the package
ships, `pinak_ray/recall/learned/weights.json`, if `--write` says so. Embedding takes ten minutes or
more on two cores, and is kept in the folder `--kept` for the next time. `tasks` has R@10 and
nDCG@10 of the hand-made recipe, and of weights fitted on the other conversations.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from benchmarks.datasets import Corpus, load_corpora
from benchmarks.learning.assistants import chats
from benchmarks.learning.fitting import Question, fit
from benchmarks.learning.offline import Searchable
from benchmarks.learning.people import conversations
from benchmarks.learning.runs import runs
from benchmarks.learning.vectors import KeptVectors
from benchmarks.report import print_report, progress
from benchmarks.retrieval_metrics import mean, ndcg_at, recall_at
from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import EmbedderSpec, load_embedder
from pinak_ray.recall.fusion import best_first
from pinak_ray.recall.learned.features import FEATURES, features_of
from pinak_ray.recall.learned.weights import WEIGHTS_FILE
from pinak_ray.recall.recipes import RECIPES
from pinak_ray.recall.scoring import score

__all__ = ["trained"]

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
# How much all questions of a kind count together, and the pull: as chosen among a few on the kinds
# themselves and on LoCoMo and assistant chats, which nothing is fitted on.
_SHARES = {"turns": 2.0, "people": 1.0, "chats": 1.0, "runs": 0.5}
_PULL = 0.2
_FOLDS = 3


class _Judged(NamedTuple):
    task: str
    question: Question
    ids: Sequence[int]
    relevant: frozenset[int]
    by_hand: Any


def _judged(corpora: Iterator[Corpus], vectors: KeptVectors) -> Iterator[_Judged]:
    for corpus in corpora:
        searchable = Searchable(corpus, vectors)
        for number, query in enumerate(corpus.queries):
            places, found = searchable.candidates(number)
            relevant = frozenset(
                at for at, key in enumerate(searchable.keys) if key in query.relevant
            )
            yield _Judged(
                corpus.task,
                Question(
                    corpus.namespace,
                    features_of(found.rows, found.signals, query.text, _NOW),
                    np.isin(places, list(relevant)),
                ),
                places.tolist(),
                relevant,
                score(found.rows, found.signals, RECIPES["fused"], query.text, _NOW).scores,
            )
        progress(f"{corpus.namespace}: {len(corpus.queries)} questions")


def trained(judged: Sequence[_Judged]) -> dict[str, float]:
    """Return the weights that these questions teach."""
    counts = {task: sum(one.task == task for one in judged) for task in _SHARES}
    questions = [
        one.question._replace(share=_SHARES[one.task] / counts[one.task])
        for one in judged
        if one.task in _SHARES
    ]
    return {name: round(weight, 4) for name, weight in fit(questions, pull=_PULL).items()}


def _held_out(judged: Sequence[_Judged]) -> dict[str, dict[str, list[float]]]:
    """Return by task R@10 and nDCG@10: by hand, and by the weights of the other conversations."""
    groups = sorted({one.question.group for one in judged})
    fold = {group: number % _FOLDS for number, group in enumerate(groups)}
    figures: dict[str, list[tuple[float, ...]]] = {}
    for number in range(_FOLDS):
        weights = trained([one for one in judged if fold[one.question.group] != number])
        row = np.array([weights[name] for name in FEATURES])
        for one in judged:
            if fold[one.question.group] == number:
                learned = (one.question.features * row).sum(axis=1)
                figures.setdefault(one.task, []).append(
                    (*_quality(one, one.by_hand), *_quality(one, learned))
                )
    return {
        task: {
            "by_hand": [round(mean(row[at] for row in rows), 4) for at in (0, 1)],
            "learned": [round(mean(row[at] for row in rows), 4) for at in (2, 3)],
        }
        for task, rows in figures.items()
    }


def _quality(one: _Judged, scores: Any) -> tuple[float, float]:
    ranked = [one.ids[at] for at in best_first(scores, one.ids)]
    return recall_at(10, ranked, one.relevant), ndcg_at(10, ranked, one.relevant)


def main() -> None:
    """Train, print, and write if asked to."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    options.add_argument("--proactive", type=Path, required=True, help="ProactiveMemBench's folder")
    options.add_argument("--kept", type=Path, required=True, help="where vectors are kept")
    options.add_argument("--seed", type=int, default=17)
    options.add_argument("--people", type=int, default=16, help="how many talks of people")
    options.add_argument("--chats", type=int, default=12, help="how many chats with an assistant")
    options.add_argument("--runs", type=int, default=16, help="how many namespaces of agents' runs")
    options.add_argument("--write", action="store_true", help="write the package's weights")
    given = options.parse_args()
    spec = EmbedderSpec(cache_dir=Settings().cache_dir)
    vectors = KeptVectors(load_embedder(spec), given.kept)
    judged = [
        *_judged(conversations(given.seed, given.people), vectors),
        *_judged(chats(given.seed, given.chats), vectors),
        *_judged(runs(given.seed, given.runs), vectors),
        *_judged((each for each in load_corpora(given.proactive) if each.task == "turns"), vectors),
    ]
    weights = trained(judged)
    how = {
        "command": "python -m benchmarks.learning",
        "data": ["ProactiveMemBench (MIT), turns", "own templates: people, chats, runs"],
        "seed": given.seed,
        "conversations": {"people": given.people, "chats": given.chats, "runs": given.runs},
        "questions": len(judged),
        "held_out": _held_out(judged),
    }
    if given.write:
        Path(str(WEIGHTS_FILE)).write_bytes(
            orjson.dumps({"weights": weights, "trained": how}, option=orjson.OPT_INDENT_2) + b"\n"
        )
    print_report({"name": "learning", "weights": weights, **how})


if __name__ == "__main__":
    main()
