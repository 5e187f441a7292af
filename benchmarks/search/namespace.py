"""One namespace under measurement: the ways to ask it, and how exact its nearest ones are."""

import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice, product
from math import ceil

import pinak_ray
from benchmarks.nudges import http_swarm
from benchmarks.processes import memory_by_part, processor_by_part
from benchmarks.report import progress
from benchmarks.search.by_hand import ByHand
from benchmarks.search.callers import Ask, Seen, Tally, call, medians
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.recall import RecallRequest, RecallResult
from pinak_ray.records.operations import Recall
from pinak_ray.services.search import SearchParts
from pinak_ray.store.indexing.indexing import OWN_TEXT
from pinak_ray.store.indexing.windows import WINDOW
from pinak_ray.store.namespaces import ensure_namespace

__all__ = ["CALLERS", "K", "Measured", "Namespace", "warm_up"]

K = 10
CALLERS = (1, 8)
CONNECTIONS = 4
_WARM_UP = 20
# A slow way (an exact scan of a million rows) is measured by fewer questions, not for longer.
_SECONDS = 5.0
# Questions of each caller until another way has its turn.
_TURN = 5
_TRACED = 30
_SEGMENTS = "SELECT count(*) FROM pinak.segments WHERE namespace_id = $1 AND rows IS NOT NULL"


@dataclass(slots=True)
class Measured:
    """What each way showed in each round, by way and number of callers."""

    seen: dict[str, dict[int, list[Seen]]] = field(default_factory=dict)

    def add(self, way: str, callers: int, seen: Seen) -> None:
        """Keep one measurement."""
        self.seen.setdefault(way, {}).setdefault(callers, []).append(seen)

    def p50s(self, way: str) -> list[float]:
        """Return the single caller's p50 in ms of each round."""
        return [seen.p50_ms for seen in self.seen[way][1]]

    def ratios(self, way: str, other: str) -> list[float]:
        """Return one way's p50 over another's, round by round."""
        return [a / b for a, b in zip(self.p50s(way), self.p50s(other), strict=True)]

    def figures(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return the medians over rounds, by way and number of callers."""
        return {
            way: {str(callers): medians(rounds) for callers, rounds in by_callers.items()}
            for way, by_callers in self.seen.items()
        }


@dataclass(slots=True)
class Namespace:
    """A loaded namespace and the process's own search parts."""

    settings: Settings
    dsn: str
    parts: SearchParts
    project: str
    id: int

    @classmethod
    async def make(
        cls, settings: Settings, dsn: str, parts: SearchParts, project: str
    ) -> "Namespace":
        """Make the namespace, still empty."""
        async with parts.database.service() as connection:
            id_ = await ensure_namespace(connection, NamespaceKey("default", project))
        return cls(settings, dsn, parts, project, id_)

    async def in_process(self, query: str) -> int:
        """Ask as a gateway replica does; returns how many memories came back."""
        return len((await self._recall(RecallRequest(query, k=K))).hits)

    async def measure(self, queries: Iterator[str], *, count: int, rounds: int) -> Measured:
        """Ask in each way, by one caller and by eight."""
        measured = Measured()
        async with AsyncExitStack() as stack:
            ways = await self._ways(stack)
            await self._warm_up(ways, queries)
            for _, callers in product(range(rounds), CALLERS):
                for way, seen in (
                    await _in_turns(ways, queries, callers, count, self._processor)
                ).items():
                    measured.add(way, callers, seen)
                    progress(f"{self.project}, {callers} callers, {way}: {seen}")
        return measured

    async def _warm_up(self, ways: dict[str, Ask], queries: Iterator[str]) -> None:
        """Ask until every process holds the vectors that it compares itself.

        That of the others is not seen from here: they begin a moment later, and take as long.
        """
        start = time.monotonic()
        for ask in ways.values():
            await warm_up(ask, queries)
        for kind in (OWN_TEXT, WINDOW):
            await self.parts.vectors.loaded(self.id, kind)
        ends_at = 2 * time.monotonic() - start
        while time.monotonic() < ends_at:
            for ask in ways.values():
                await warm_up(ask, queries)

    async def ann_recall(self, queries: Iterator[str], count: int) -> float:
        """Return which share of the exact ten nearest our search path finds."""
        found = 0
        async with await self._by_hand() as by_hand:
            for query in islice(queries, count):
                vector = (await self.parts.embedder.embed([query]))[0]
                exact = await by_hand.nearest(vector, K)
                request = RecallRequest(query, K, "dense", vector=encode_halfvec_one(vector))
                hits = (await self._recall(request)).hits
                found += len({hit.id for hit in hits}.intersection(exact))
        return found / (count * K)

    async def timings(self, queries: Iterator[str]) -> dict[str, dict[str, float]]:
        """Return each step's median ms by recipe: all signals together, and two of them alone."""
        return {
            recipe: await self._timings(recipe, queries)
            for recipe in ("default", "dense", "lexical")
        }

    async def _timings(self, recipe: str, queries: Iterator[str]) -> dict[str, float]:
        steps = []
        for query in islice(queries, _TRACED):
            trace = (await self._recall(RecallRequest(query, K, recipe, trace=True))).trace
            if trace is not None:
                steps.append(trace.timings_ms)
        return {
            name: round(statistics.median(step.get(name, 0.0) for step in steps), 2)
            for name in steps[0]
        }

    async def mirrored(self) -> dict[str, float]:
        """Load what a process holds of this namespace, and return what that takes.

        Empty where it is left to the database.
        """
        before, start = memory_by_part([os.getpid()]), time.monotonic()
        self.parts.mirrors.of(self.id)
        if not await self.parts.mirrors.loaded(self.id):
            return {}
        took = time.monotonic() - start
        after = memory_by_part([os.getpid()])
        held = self.parts.mirrors.of(self.id)
        assert held is not None
        return {
            "loading_s": round(took, 2),
            "held_mb": round(held.mirror.nbytes / (1 << 20), 1),
            "resident_mb": round((sum(after.values()) - sum(before.values())) / (1 << 20), 1),
        }

    def _processor(self) -> dict[str, float]:
        """Return the seconds of processor of this process and of the stack, by part."""
        postgres = EmbeddedPostgres(self.settings.home / "postgres").postmaster_pid
        roots = (os.getpid(), RayNode(self.settings.home).pid(), postgres)
        return processor_by_part([pid for pid in roots if pid is not None])

    async def segments(self) -> int:
        """Return how many sealed segments this namespace has."""
        async with self.parts.database.service() as connection:
            return int(await connection.fetchval(_SEGMENTS, self.id))

    async def _recall(self, request: RecallRequest) -> RecallResult:
        return await self.parts.recall(Recall(self.id, request))

    async def _by_hand(self) -> ByHand:
        parts = self.parts
        return await ByHand.open(
            self.dsn, parts.embedder, self.id, parts.model.id, connections=CONNECTIONS
        )

    async def _ways(self, stack: AsyncExitStack) -> dict[str, Ask]:
        """Return the ways to ask this namespace: each finds K memories for a question."""
        key = NamespaceKey("default", self.project)
        over_ray = await stack.enter_async_context(
            pinak_ray.connect(home=self.settings.home, project=self.project)
        )
        over_http = await stack.enter_async_context(http_swarm(self.settings, key))
        by_hand = await stack.enter_async_context(await self._by_hand())

        async def ray(query: str) -> int:
            return len((await over_ray.agent("caller").recall(query, k=K)).hits)

        async def http(query: str) -> int:
            return len((await over_http.agent("caller").recall(query, k=K)).hits)

        async def embedding(query: str) -> int:
            return len(await self.parts.embedder.embed([query]))

        return {
            "embedding": embedding,
            "in_process": self.in_process,
            "by_hand": by_hand.by_ts_rank,
            "by_hand_bm25": by_hand.by_bm25,
            "http": http,
            "ray": ray,
        }


async def warm_up(ask: Ask, queries: Iterator[str]) -> None:
    """Ask a few questions that do not count."""
    await call(ask, queries, Tally(), callers=4, count=_WARM_UP, seconds=_SECONDS)


async def _in_turns(
    ways: dict[str, Ask],
    queries: Iterator[str],
    callers: int,
    count: int,
    processor: Callable[[], dict[str, float]],
) -> dict[str, Seen]:
    """Ask `count` questions in each way, a few at a time: a slow moment slows all of them."""
    tallies = {way: Tally() for way in ways}
    turn = _TURN * callers
    for _ in range(ceil(count / turn)):
        for way, ask in ways.items():
            left = _SECONDS - tallies[way].seconds
            if left > 0:
                before = processor()
                await call(ask, queries, tallies[way], callers=callers, count=turn, seconds=left)
                tallies[way].processor += Counter(processor()) - Counter(before)
    return {way: tally.seen() for way, tally in tallies.items()}
