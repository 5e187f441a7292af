"""Look for contradictions between findings that bear on one question."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice
from uuid import UUID

from pinak_ray.client.promotion import read_all
from pinak_ray.client.transport import Send
from pinak_ray.nudges.contradictions import difference
from pinak_ray.records.board_suspicions import Suspect, SuspectedAnswer, Suspicion
from pinak_ray.records.state import Entry, EntryKind

__all__ = ["suspect"]

# At 0.1 to 0.8 ms a pair, both ways, this is well under a second.
_MAX_PAIRS = 500


async def suspect(
    send: Send, operation: Suspect, detector: Callable[[str, str], str] = difference
) -> SuspectedAnswer:
    """Return the pairs of findings in which the detector sees a difference.

    `detector(one, other)` says how the first text contradicts the second one, "" if it does not;
    the default goes by rules, for values and prohibitions, and rather misses one. Pairs that were
    set against each other before, and refuted findings, are not compared.
    """
    entries = await read_all(send, operation.owner, (EntryKind.FINDING,))
    pairs = _pairs([e for e in entries if "refuted_by" not in e.details], operation.question)
    compared = list(islice(pairs, _MAX_PAIRS))
    # In a thread: it is work for the processor, and the gateway's loop has others to serve.
    found = await asyncio.to_thread(lambda: list(_suspicions(compared, detector)))
    return SuspectedAnswer(suspicions=tuple(found), left_out=sum(1 for _ in pairs))


def _pairs(entries: Sequence[Entry], only: UUID | None) -> Iterator[tuple[UUID, Entry, Entry]]:
    """Yield each question's pairs of findings, the newest first."""
    bearing: dict[UUID, list[Entry]] = {}
    for entry in reversed(entries):
        for question in map(UUID, entry.details.get("questions", ())):
            if only in (None, question):
                bearing.setdefault(question, []).append(entry)
    for question, findings in bearing.items():
        for one, other in combinations(findings, 2):
            if str(other.id) not in one.details.get("contradicts", ()):
                yield question, one, other


def _suspicions(
    pairs: Sequence[tuple[UUID, Entry, Entry]], detector: Callable[[str, str], str]
) -> Iterator[Suspicion]:
    for question, one, other in pairs:
        description = detector(one.content, other.content) or detector(other.content, one.content)
        if description:
            ids = (one.id, other.id)
            yield Suspicion(question=question, findings=ids, description=description)
