"""The verdict: acknowledged writes against stored ones, lane by lane. Pure, and so tested."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from benchmarks.chaos.ledger import Kind, Lane, Ledger

__all__ = ["Held", "Row", "Verdict", "judge"]


class Row(NamedTuple):
    """One stored write of a lane: its number, its id, and the version that it left behind."""

    number: int
    id: UUID | None
    version: int = 1


Held = Mapping[Lane, Sequence[Row]]
"""Each lane's rows in the order that readers see."""


class Verdict(NamedTuple):
    """How many acknowledged writes there were, and what became of them."""

    acknowledged: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0

    @property
    def found(self) -> int:
        """Acknowledged, and there."""
        return self.acknowledged - self.lost

    @property
    def faults(self) -> int:
        """Breaches of a guarantee."""
        return self.lost + self.duplicated + self.reordered

    @classmethod
    def total(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """Return the sum of all."""
        return cls(*map(sum, zip(cls(), *verdicts, strict=True)))


def judge(ledger: Ledger, held: Held) -> Verdict:
    """Return the verdict on everything that the ledger says was acknowledged."""
    return Verdict.total(
        (_notes if lane.kind is Kind.NOTE else _entries)(ledger, lane, held.get(lane, ()))
        for lane in ledger.issued
    )


def _entries(ledger: Ledger, lane: Lane, rows: Sequence[Row]) -> Verdict:
    """Each write leaves a row of its own."""
    acknowledged = ledger.acknowledged[lane]
    stored = {(row.number, row.id) for row in rows}
    lost = sum((number, receipt.id) not in stored for number, receipt in acknowledged.items())
    duplicated = len(rows) - len({row.number for row in rows})
    reordered = _descents(row.number for row in rows if row.number in acknowledged)
    return Verdict(len(acknowledged), lost, duplicated, reordered)


def _notes(ledger: Ledger, lane: Lane, rows: Sequence[Row]) -> Verdict:
    """All writes of the lane share one item: its version counts them, its value is the last."""
    acknowledged, issued = ledger.acknowledged[lane], ledger.issued[lane]
    value, _, version = rows[0] if rows else Row(0, None, 0)
    lost = max(0, len(acknowledged) - version)
    duplicated = max(0, version - issued)
    newest = max(acknowledged, default=0)
    reordered = _descents(receipt.version or 0 for _, receipt in sorted(acknowledged.items()))
    reordered += value < newest and not lost
    return Verdict(len(acknowledged), lost, duplicated, reordered)


def _descents(values: Iterable[int]) -> int:
    return sum(later < earlier for earlier, later in pairwise(values))
