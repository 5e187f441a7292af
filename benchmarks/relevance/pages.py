"""The first ten hits of each question, through the stack, and what their relevance is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

import pinak_ray
from benchmarks.relevance.asked import Asked
from pinak_ray.recall.recipes import DATE, DENSE, QUESTION, WINDOW_DENSE
from pinak_ray.recall.relevance.features import features, question_of
from pinak_ray.records.memory.recall import Hit

__all__ = ["K", "Page", "pages"]

K = 10
"""The evidence that counts is among so many hits."""


@dataclass(frozen=True, slots=True)
class Page:
    """One question's hits: their relevance, 1 where they answer, and their features, a row each."""

    kind: str
    text: str
    relevance: npt.NDArray[np.float64]
    answers: npt.NDArray[np.float64]
    features: npt.NDArray[np.float64]


async def pages(
    swarm: pinak_ray.Swarm, asked: Sequence[Asked], keys: dict[UUID, str]
) -> list[Page]:
    """Ask every question and return its page."""
    reader = swarm.agent("benchmark")
    return [
        _page(each, (await reader.recall(each.text, k=K, trace=True)).hits, keys) for each in asked
    ]


def _page(asked: Asked, hits: Sequence[Hit], keys: dict[UUID, str]) -> Page:
    signals = {
        name: np.array(list(_scores(hits, name)), dtype=np.float64)
        for name in (DENSE, WINDOW_DENSE, QUESTION, DATE)
    }
    return Page(
        asked.kind,
        asked.text,
        np.array([hit.relevance for hit in hits], dtype=np.float64),
        np.array([keys[hit.id] in asked.relevant for hit in hits], dtype=np.float64),
        features(
            question_of(asked.text),
            [{"content": hit.content, "agent": hit.agent} for hit in hits],
            signals[DENSE],
            signals[WINDOW_DENSE],
            asks=np.nan_to_num(signals[QUESTION]),
            dated=np.nan_to_num(signals[DATE]),
        ),
    )


def _scores(hits: Sequence[Hit], name: str) -> Iterator[float | None]:
    for hit in hits:
        said = {signal.name: signal.score for signal in hit.signals}
        yield said.get(name)
