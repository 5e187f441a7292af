"""The judge of the chaos suite: it must see what it is there to see."""

from collections.abc import Sequence

import pytest

from benchmarks.chaos.ledger import Kind, Lane, Ledger, Wire
from benchmarks.chaos.verdict import Row, Verdict, judge
from pinak_ray.records.errors import Unavailable
from pinak_ray.records.ids import uuid7
from pinak_ray.records.memory.memories import Ack, Receipt

POSTS = Lane(Kind.SCRATCHPAD, "ada", Wire.RAY)
NOTES = Lane(Kind.NOTE, "ada", Wire.RAY)
IDS = [uuid7() for _ in range(4)]


def ledger_of(lane: Lane, *, unacknowledged: int = 0) -> Ledger:
    """Return the books of three acknowledged writes, and of some that raised."""
    ledger = Ledger(namespace_id=1)
    for number in ledger.issue(lane, 3):
        receipt = Receipt(IDS[number], Ack.DURABLE, version=number)
        ledger.record(lane, [(number, receipt)])
    ledger.record(lane, [(n, Unavailable("gone")) for n in ledger.issue(lane, unacknowledged)])
    return ledger


def posts(*numbers: int) -> list[Row]:
    """Return the stored entries of these numbers."""
    return [Row(number, IDS[number] if number < len(IDS) else uuid7()) for number in numbers]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (posts(1, 2, 3), Verdict(3)),
        (posts(1, 3), Verdict(3, lost=1)),
        ([], Verdict(3, lost=3)),
        (posts(1, 2, 2, 3), Verdict(3, duplicated=1)),
        (posts(2, 1, 3), Verdict(3, reordered=1)),
        ([*posts(1, 2), Row(3, uuid7())], Verdict(3, lost=1)),
    ],
    ids=["all there", "one lost", "all lost", "one twice", "two swapped", "under another id"],
)
def test_entries(rows: Sequence[Row], verdict: Verdict) -> None:
    """A missing, a repeated and a swapped entry are told apart."""
    assert judge(ledger_of(POSTS), {POSTS: rows}) == verdict


@pytest.mark.parametrize(
    ("value", "version", "verdict"),
    [
        (3, 3, Verdict(3)),
        (2, 2, Verdict(3, lost=1)),
        (3, 4, Verdict(3, duplicated=1)),
        (2, 3, Verdict(3, reordered=1)),
    ],
    ids=["all there", "one lost", "one applied twice", "an older one wrote last"],
)
def test_notes(value: int, version: int, verdict: Verdict) -> None:
    """A note's version counts the notes, and its value is the last one's."""
    assert judge(ledger_of(NOTES), {NOTES: [Row(value, None, version)]}) == verdict


@pytest.mark.parametrize("rows", [posts(1, 2, 3), posts(1, 2, 3, 4), posts(4, 1, 2, 3)])
def test_an_unacknowledged_write_is_not_judged(rows: Sequence[Row]) -> None:
    """It may be there or not, wherever; but not twice."""
    ledger = ledger_of(POSTS, unacknowledged=1)

    assert judge(ledger, {POSTS: rows}) == Verdict(3)
    assert judge(ledger, {POSTS: [*rows, *posts(4, 4)]}).duplicated > 0


def test_a_note_may_count_an_unacknowledged_one() -> None:
    """Its version may have risen for it, once."""
    ledger = ledger_of(NOTES, unacknowledged=1)

    assert judge(ledger, {NOTES: [Row(3, None, 3)]}) == Verdict(3)
    assert judge(ledger, {NOTES: [Row(4, None, 4)]}) == Verdict(3)
    assert judge(ledger, {NOTES: [Row(4, None, 5)]}) == Verdict(3, duplicated=1)
