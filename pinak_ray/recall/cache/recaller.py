"""A recall by way of the cache: its generation first, then an equal query, a near one, a search."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from pinak_ray.concurrency.admission import Admission
from pinak_ray.concurrency.single_flight import SingleFlight
from pinak_ray.recall.cache.answers import CacheKey, CachePolicy, RecallCache
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.recall import RecallRequest, RecallResult
from pinak_ray.store.vectors.generations import Generation, Generations

__all__ = ["CachedRecaller"]


class CachedRecaller:
    """Answers as its Recaller would, from the cache where nothing was written since.

    A hit costs one round trip. Searches take a turn of `admission`; callers with equal requests
    share one.
    """

    __slots__ = ("_admission", "_cache", "_flights", "_generations", "_recaller")

    def __init__(
        self,
        recaller: Recaller,
        generations: Generations,
        policy: CachePolicy,
        admission: Admission,
    ) -> None:
        self._recaller = recaller
        self._generations = generations
        self._cache = RecallCache(policy)
        self._admission = admission
        self._flights: SingleFlight[tuple[CacheKey, int], RecallResult] = SingleFlight()

    async def recall(self, namespace_id: int, request: RecallRequest) -> RecallResult:
        """Return what `Recaller.recall` does, or did since the last write; raises what it raises.

        Overloaded where too many wait for a search. A trace tells of a search, so that a request
        for one has its own.
        """
        if request.trace or not self._cache.policy.enabled:
            async with self._admission.turn(namespace_id):
                return await self._recaller.recall(namespace_id, request)
        now = await self._generations.of(namespace_id)
        key = CacheKey(namespace_id, self._recaller.model_id, request)
        result = self._cache.get(key, now)
        if result is None:
            # Of one generation only: who read a later one may not be told what was found before.
            result = await self._flights.run((key, now.number), lambda: self._miss(key, now))
        return _own(result)

    async def _miss(self, key: CacheKey, now: Generation) -> RecallResult:
        namespace_id, _, request = key
        async with (
            self._admission.turn(namespace_id),
            self._recaller.begin(namespace_id, request, number=now.number) as begun,
        ):
            self._cache.counts.missed += 1
            answer = await begun.answer(await self._recaller.query_vector(request))
        if answer.result.degraded is None:  # the next one may have the query's vector
            self._cache.put(
                key,
                answer.result,
                read=now,
                holds_until=answer.holds_until,
                zone=begun.now.tzinfo,
            )
        return answer.result

    def figures(self) -> dict[str, Any]:
        """Return what is held, and what became of lookups and entries so far, for JSON.

        Lookups are answered by an equal query, a near one, a search that another caller began
        (`shared`), or one of their own (`miss`).
        """
        counts = self._cache.counts
        return {
            "entries": len(self._cache),
            "bytes": self._cache.size,
            "lookups": {
                "equal": counts.equal,
                "near": counts.near,
                "shared": self._flights.shared,
                "miss": counts.missed,
            },
            "drops": {
                "evicted": counts.evicted,
                "stale": counts.stale,
                "expired": counts.expired,
            },
        }


def _own(result: RecallResult) -> RecallResult:
    """Return a result whose details the caller may change: all else is frozen."""
    if not any(hit.details for hit in result.hits):
        return result
    return replace(
        result, hits=tuple(replace(hit, details=deepcopy(hit.details)) for hit in result.hits)
    )
