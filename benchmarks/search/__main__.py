"""Recall as a namespace grows, beside the same embed and SQL by hand.

    python -m benchmarks.search --rows 10000,100000,1000000 --json

Each size is a namespace of its own in one stack, loaded through the Writer's store functions, and
measured when the Indexer has nothing left to do: p50, p95 and answers a second of the default
recipe at one and eight callers, in process (what a gateway replica holds), over HTTP, over Ray, and
by hand (`by_hand.py` says what that is), beside the embedding of the question alone; the processor
that an answer takes, of this process and the whole stack; and how long a mirror takes to load and
what it holds. Sizes up to 10,000 are measured once more with all memories in sessions, and so in
windows. At last a namespace of a hundredth of the largest is asked beside it. No two questions are
alike; `from_cache` says how many the cache answered all the same.

The bars: in process p50 <= 1.3x by hand and over HTTP <= 2x, at the smallest size; p50 at the
largest <= 3x of the smallest; of the exact ten nearest >= .99 found (recipe `dense`).

What differs from life: vectors are derived from those of 10,000 sentences (`corpus.py`), one memory
in fifty belongs to a session, no links are made (of a load like this they would be made while it is
measured), and one VACUUM (ANALYZE) a size stands for autovacuum.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.report import fresh_stack, machine, parser, print_report, progress, spread
from benchmarks.search.callers import Tally, call
from benchmarks.search.corpus import Corpus, english_words
from benchmarks.search.loading import SESSION_SHARE, load, settled, vacuum
from benchmarks.search.namespace import CALLERS, CONNECTIONS, K, Measured, Namespace, warm_up
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import BUILT_IN, ensure_model
from pinak_ray.services.search import SearchParts
from pinak_ray.store.database import Database

_SMALL_SHARE = 100
_LEAST_ANN_QUERIES = 100
# Every entry's window is embedded: of more that takes minutes.
_MOST_TOLD = 10_000


@dataclass(slots=True)
class Bench:
    """What all sizes are measured with."""

    settings: Settings
    dsn: str
    parts: SearchParts
    writing: Database
    corpus: Corpus
    queries: Iterator[str]
    count: int
    rounds: int

    async def loaded(
        self, rows: int, share: float = SESSION_SHARE
    ) -> tuple[Namespace, dict[str, Any]]:
        """Return a namespace of so many rows that is ready to be asked, and what it took.

        `share` of the rows belong to sessions.
        """
        progress(f"{rows:,} rows: loading")
        project = f"search-{rows}" if share == SESSION_SHARE else f"told-{rows}"
        namespace = await Namespace.make(self.settings, self.dsn, self.parts, project)
        start = time.monotonic()
        model_id = self.parts.model.id
        await load(self.writing, namespace.id, model_id, self.corpus, rows, session_share=share)
        stored = time.monotonic()
        await settled(self.settings)
        indexed = time.monotonic()
        await vacuum(self.dsn)
        return namespace, {
            "stored_s": round(stored - start, 1),
            "indexed_s": round(indexed - stored, 1),
            "vacuum_s": round(time.monotonic() - indexed, 1),
            "segments": await namespace.segments(),
        }

    async def measured(
        self, rows: int, share: float = SESSION_SHARE
    ) -> tuple[Measured, dict[str, Any]]:
        """Load one size and return what was seen, and its part of the report."""
        namespace, figures = await self.loaded(rows, share)
        mirrored = await namespace.mirrored()
        seen = await namespace.measure(self.queries, count=self.count, rounds=self.rounds)
        asked = max(_LEAST_ANN_QUERIES, self.count)
        return seen, {
            **figures,
            "mirror": mirrored,
            **seen.figures(),
            "ann_recall10": round(await namespace.ann_recall(self.queries, asked), 4),
            "timings_ms": await namespace.timings(self.queries),
        }

    async def beside(self, rows: int, known: Sequence[int]) -> dict[str, Any]:
        """Ask a namespace of `rows` rows (one of the sizes, or a new one) beside all others."""
        if rows in known:
            namespace = await Namespace.make(self.settings, self.dsn, self.parts, f"search-{rows}")
        else:
            namespace, _ = await self.loaded(rows)
        tally = Tally()
        await warm_up(namespace.in_process, self.queries)
        await call(
            namespace.in_process, self.queries, tally, callers=1, count=self.count, seconds=60
        )
        seen = tally.seen()
        return {
            "rows": rows,
            "p50_ms": round(seen.p50_ms, 2),
            "p95_ms": round(seen.p95_ms, 2),
            "fewest_of_k": seen.fewest,
            "k": K,
            "ann_recall10": round(await namespace.ann_recall(self.queries, _LEAST_ANN_QUERIES), 4),
        }


async def measure(settings: Settings, sizes: Sequence[int], given: Any) -> dict[str, Any]:
    """Return the report's figures."""
    dsn = EmbeddedPostgres(settings.home / "postgres").dsn
    parts = await SearchParts.open(
        settings.stack_config(dsn), name="pinak-ray benchmark", connections=CONNECTIONS
    )
    writing = await Database.open(dsn, service_connections=3, statement_timeout_s=300)
    try:
        files = ensure_model(BUILT_IN["minilm"], settings.cache_dir, directory=settings.model_dir)
        corpus = await Corpus.make(parts.embedder, english_words(files.tokenizer))
        bench = Bench(
            settings, dsn, parts, writing, corpus, corpus.queries(2), given.queries, given.rounds
        )
        seen, figures = {}, {}
        for rows in sizes:
            seen[rows], figures[str(rows)] = await bench.measured(rows)
        told = {
            str(rows): (await bench.measured(rows, 1.0))[1] for rows in sizes if rows <= _MOST_TOLD
        }
        small = await bench.beside(max(10 * K, sizes[-1] // _SMALL_SHARE), sizes)
        cache = parts.search.figures()
    finally:
        await writing.aclose()
        await parts.aclose()
    return {
        **summary(seen[sizes[0]], seen[sizes[-1]]),
        "sizes": figures,
        "sizes_of_sessions": told,
        "beside_largest": small,
        "from_cache": cache["lookups"]["equal"] + cache["lookups"]["near"],
    }


def summary(smallest: Measured, largest: Measured) -> dict[str, Any]:
    """Return what is compared: ours by hand, and the largest by the smallest."""
    ours = smallest.p50s("in_process")
    ratios = smallest.ratios("in_process", "by_hand")
    growth = statistics.median(largest.p50s("in_process")) / statistics.median(ours)
    return {
        "ours": round(statistics.median(ours), 2),
        "reference": round(statistics.median(smallest.p50s("by_hand")), 2),
        "ratio": round(statistics.median(ratios), 3),
        "spread": round(spread(ratios), 3),
        "ratio_bm25": round(statistics.median(smallest.ratios("in_process", "by_hand_bm25")), 3),
        "ratio_http": round(statistics.median(smallest.ratios("http", "by_hand")), 3),
        "growth_p50": round(growth, 2),
    }


def _sizes(text: str) -> list[int]:
    sizes = sorted({int(part) for part in text.split(",")})
    if sizes[0] < 10 * K:
        raise argparse.ArgumentTypeError(f"at least {10 * K} rows, not {sizes[0]}")
    return sizes


def main() -> None:
    """Measure and print."""
    options = parser("search", __doc__ or "")
    options.add_argument("--rows", type=_sizes, default="10000,100000", help="comma-separated")
    options.add_argument("--queries", type=int, default=150, help="questions a measurement")
    given = options.parse_args()
    where = machine()
    with fresh_stack(auto_links=False, cache=False) as settings:
        figures = asyncio.run(measure(settings, given.rows, given))
    print_report({
        "name": "search",
        "unit": "ms, p50 of a recall in process, one caller, at the smallest size",
        "reference_is": "the same embedder and one hand-written statement: exact scan for the 50"
        " nearest, 50 best by ts_rank, reciprocal ranks, 10 memories read; no row-level security",
        "rounds": given.rounds,
        **figures,
        "callers": list(CALLERS),
        "session_share": SESSION_SHARE,
        "machine": where,
    })  # fmt: skip


if __name__ == "__main__":
    main()
