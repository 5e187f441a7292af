"""What a context keeps of the evidence, and what it saves, through the running stack.

    python -m benchmarks.context --data ../shared/data/locomo/locomo_dev.json --json

For each question an agent asks for its context; `ours` is the share of the questions all of whose
labelled evidence stands in it, `reference` that of the newest turns that fit in the same budget,
rendered alike. `saving` is the context's own: of the tokens of what was recalled, those it did
without; `saving_of_all` is of the tokens of the whole conversation.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pinak_ray
from benchmarks.datasets import Corpus, Query, load_corpora
from benchmarks.recall import remember_all
from benchmarks.report import fresh_stack, machine, parser, percentile, print_report, progress
from benchmarks.retrieval_metrics import mean
from benchmarks.search.loading import settled
from pinak_ray.cluster.settings import Settings
from pinak_ray.composed.rendering import Section, render

_BUDGETS = (250, 500, 1000, 2000)
_MAIN_BUDGET = 1000


def asked_of(corpora: Sequence[Corpus], questions: int) -> list[list[Query]]:
    """Return as many questions of each corpus, spread evenly over it."""
    each = -(-questions // len(corpora))
    return [
        list(islice(corpus.queries[:: max(1, len(corpus.queries) // each)], each))
        for corpus in corpora
    ]


def holds(text: str, corpus: Corpus, query: Query) -> bool:
    """Return whether all labelled evidence stands in a text, however it is spaced."""
    evidence = (entry.content for entry in corpus.entries if entry.key in query.relevant)
    return all(spaced(content) in text for content in evidence)


def spaced(text: str) -> str:
    """Return a text in one line, as a context has it."""
    return " ".join(text.split())


def newest(corpus: Corpus) -> Section:
    """Return the whole conversation, newest first, in the lines that a context has."""
    lines = [
        f"memory, {entry.agent}, {entry.occurred_at:%Y-%m-%d}: {spaced(entry.content)}"
        for entry in reversed(corpus.entries)
    ]
    return Section("memories", 1, lines)


async def ask_all(
    swarm: pinak_ray.Swarm, corpus: Corpus, queries: Sequence[Query], budget: int
) -> list[dict[str, float]]:
    """Ask for the context of every question, one after the other."""
    agent, rows = swarm.agent("benchmark"), []
    recent = render([newest(corpus)], budget)
    for query in queries:
        before = time.perf_counter()
        context = await agent.context(budget, query=query.text)
        rows.append(
            {
                "ms": (time.perf_counter() - before) * 1000,
                "kept": holds(context.text, corpus, query),
                "kept_by_newest": holds(recent.text, corpus, query),
                "tokens": context.tokens,
                "saving": context.saving,
                "saving_of_all": 1 - context.tokens / recent.eligible_tokens,
            }
        )
    return rows


async def measure(settings: Settings, path: Path, questions: int) -> dict[int, dict[str, float]]:
    """Return the figures of each budget, over all corpora."""
    corpora = list(load_corpora(path))
    rows: dict[int, list[dict[str, float]]] = {budget: [] for budget in _BUDGETS}
    for corpus, queries in zip(corpora, asked_of(corpora, questions), strict=True):
        swarm = pinak_ray.connect(home=settings.home, project=f"context-{corpus.namespace}")
        progress(f"{corpus.namespace}: remembering {len(corpus.entries)} entries")
        await remember_all(swarm, corpus)
        await settled(settings)
        progress(f"{corpus.namespace}: {len(queries)} questions, {len(_BUDGETS)} budgets")
        for budget in _BUDGETS:
            rows[budget] += await ask_all(swarm, corpus, queries, budget)
    return {budget: _figures(own) for budget, own in rows.items()}


def _figures(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    means = {name: round(mean(row[name] for row in rows), 4) for name in rows[0] if name != "ms"}
    return {
        **means,
        "questions": len(rows),
        "p50_ms": round(percentile([row["ms"] for row in rows], 0.5), 1),
        "p95_ms": round(percentile([row["ms"] for row in rows], 0.95), 1),
    }


def main() -> None:
    """Measure and print."""
    options = parser("context", __doc__ or "")
    options.add_argument("--data", type=Path, required=True, help="a data set's file or folder")
    options.add_argument("--questions", type=int, default=100, help="how many, of all corpora")
    given = options.parse_args()
    where = machine()
    with fresh_stack(cache=False) as settings:  # each context is to be searched for
        by_budget = asyncio.run(measure(settings, given.data, given.questions))
    main_figures = by_budget[_MAIN_BUDGET]
    ours, reference = main_figures["kept"], main_figures["kept_by_newest"]
    print_report(
        {
            "name": "context",
            "unit": f"share of questions with all evidence in {_MAIN_BUDGET:,} tokens",
            "ours": ours,
            "reference": reference,
            "reference_is": "the newest turns that fit in the same budget",
            "ratio": round(ours / reference, 3) if reference else None,
            "rounds": 1,
            "spread": 0.0,
            "saving": main_figures["saving"],
            "saving_of_all": main_figures["saving_of_all"],
            "by_budget": {str(budget): figures for budget, figures in by_budget.items()},
            "machine": where,
        }
    )


if __name__ == "__main__":
    main()
