"""Look for contradictions between findings that bear on one question."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations, islice, starmap
from typing import NamedTuple, TypeAlias
from uuid import UUID

from pinak_ray.composed.promotion import read_all
from pinak_ray.language.contradictions import difference
from pinak_ray.records.board.suspicions import Suspect, SuspectedAnswer, Suspicion
from pinak_ray.records.sending import Send
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["suspect"]

# At 0.1 to 0.8 ms a pair, both ways, this is well under a second.
_MAX_PAIRS = 500


class _Finding(NamedTuple):
    id: UUID
    content: str
    contradicts: frozenset[str]


_Pair: TypeAlias = tuple[UUID, _Finding, _Finding]


async def suspect(
    send: Send, operation: Suspect, detector: Callable[[str, str], str] = difference
) -> SuspectedAnswer:
    """Return the pairs of findings in which the detector sees a difference.

    `detector(one, other)` says how the first text contradicts the second one, "" if it does not;
    the default goes by rules, for values and prohibitions, and rather misses one. Pairs that were
    set against each other before, and refuted findings, are not compared.
    """
    entries = await read_all(send, operation.owner, (EntryKind.FINDING,))
    # In a thread: it is work for the processor, and the gateway's loop has others to serve.
    return await asyncio.to_thread(_compare, entries, operation.question, detector)


def _compare(
    entries: Sequence[Entry], only: UUID | None, detector: Callable[[str, str], str]
) -> SuspectedAnswer:
    bearing = _findings(entries, only)
    pairs = list(islice(chain.from_iterable(starmap(_pairs, bearing.items())), _MAX_PAIRS))
    found = tuple(_suspicions(pairs, detector))
    return SuspectedAnswer(
        suspicions=found, left_out=sum(map(_count, bearing.values())) - len(pairs)
    )


def _findings(entries: Sequence[Entry], only: UUID | None) -> dict[UUID, list[_Finding]]:
    """Return each question's findings that nobody has refuted, the newest first."""
    bearing: dict[UUID, list[_Finding]] = {}
    for entry in reversed(entries):
        details = entry.details  # decoded each time
        if "refuted_by" in details:
            continue
        finding = _Finding(entry.id, entry.content, frozenset(details.get("contradicts", ())))
        for question in map(UUID, details.get("questions", ())):
            if only in (None, question):
                bearing.setdefault(question, []).append(finding)
    return bearing


def _pairs(question: UUID, findings: Sequence[_Finding]) -> Iterator[_Pair]:
    """Yield a question's pairs, the newest first, but for those set against each other."""
    for one, other in combinations(findings, 2):
        if str(other.id) not in one.contradicts:
            yield question, one, other


def _count(findings: Sequence[_Finding]) -> int:
    """Return how many pairs there are, by arithmetic: of 10,000 findings they are 50 million."""
    older: set[str] = set()
    apart = 0
    for finding in reversed(findings):
        apart += len(finding.contradicts & older)
        older.add(str(finding.id))
    return len(findings) * (len(findings) - 1) // 2 - apart


def _suspicions(pairs: Sequence[_Pair], detector: Callable[[str, str], str]) -> Iterator[Suspicion]:
    for question, one, other in pairs:
        description = detector(one.content, other.content) or detector(other.content, one.content)
        if description:
            ids = (one.id, other.id)
            yield Suspicion(question=question, findings=ids, description=description)
