"""Which entries become memories, and which wait: decided from the entries alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.composed.promotable import select
from pinak_ray.records.memory.links import LinkKind
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.memory.promotion import Skipped
from pinak_ray.records.state.owners import Entry, EntryKind

START = datetime(2026, 1, 1, tzinfo=UTC)


def entry(number: int, kind: EntryKind = EntryKind.FINDING, **details: Any) -> Entry:
    """Return the entry of this number, made in the second of its number."""
    at = START + timedelta(seconds=number)
    encoded = orjson.dumps(details)
    return Entry(
        UUID(int=number), number, kind, "ann", None, f"entry {number}", encoded, 1, at, None,
        UUID(int=number),
    )  # fmt: skip


def name(number: int) -> str:
    """Return the id of the entry of this number, as details hold it."""
    return str(UUID(int=number))


def promoted(entries: Sequence[Entry], min_confidence: float = 0.75) -> list[int]:
    """Return the numbers of the entries that shall be memories."""
    return [each.entry.id.int for each in select(entries, min_confidence).promotable]


def test_the_bar_is_reached_from_above_only() -> None:
    """An entry exactly as sure as the bar is promoted; one that does not say is half sure."""
    entries = [entry(1, confidence=0.75), entry(2, confidence=0.74), entry(3)]

    assert promoted(entries) == [1]
    assert promoted(entries, 0.5) == [1, 2, 3]
    assert select(entries, 0.75).skipped == {Skipped.LOW_CONFIDENCE: 2}


def test_findings_are_semantic_and_reasoning_is_episodic() -> None:
    """Each kind has its layer, and what was merely seen, asked or done is none of them."""
    chosen = (EntryKind.FINDING, EntryKind.REASONING)
    entries = [entry(n, kind, confidence=1) for n, kind in enumerate(EntryKind, start=1)]
    layers = {e.entry.kind: e.layer for e in select(entries, 0.0).promotable}

    assert layers == dict(zip(chosen, (Layer.SEMANTIC, Layer.EPISODIC), strict=True))


def test_a_contradiction_holds_both_findings_until_it_is_resolved() -> None:
    """Open, it holds both; resolved, the refuted one stays out and the kept one refutes it."""
    both = [entry(1, confidence=0.9), entry(2, confidence=0.9)]
    pair = [name(1), name(2)]
    unresolved = entry(3, EntryKind.CONTRADICTION, findings=pair, resolved_at=None)
    held = select([*both, unresolved], 0.75).held
    assert [(each.entry.int, each.contradictions) for each in held] == [
        (1, (unresolved.id,)),
        (2, (unresolved.id,)),
    ]

    resolved = entry(
        3, EntryKind.CONTRADICTION, findings=pair, resolved_at="2026-01-02", kept=name(1)
    )
    refuted = entry(2, confidence=0.9, refuted_by=name(3))
    selection = select([both[0], refuted, resolved], 0.75)
    assert [each.entry.id.int for each in selection.promotable] == [1]
    assert selection.skipped == {Skipped.REFUTED: 1}
    assert (UUID(int=1), UUID(int=2), LinkKind.CONTRADICTS, 1.0) in selection.links


def test_a_step_is_held_when_what_it_rests_on_is_contradicted() -> None:
    """Also over several steps; the step that contradicts stands by itself."""
    entries = [
        entry(1, EntryKind.OBSERVATION),
        entry(2, EntryKind.REASONING, confidence=0.9, premises=[name(1)]),
        entry(3, EntryKind.REASONING, confidence=0.9, premises=[name(2)]),
        entry(4, EntryKind.REASONING, confidence=0.9, contradicts=[name(1)]),
        entry(5, EntryKind.REASONING, confidence=0.9),
    ]
    selection = select(entries, 0.75)

    assert [each.entry.id.int for each in selection.promotable] == [4, 5]
    assert [each.entry.int for each in selection.held] == [2, 3]


def test_a_thought_that_contradicts_holds_a_step_too() -> None:
    """The edges of the reasoning graph count like what steps say themselves."""
    against = {"kind": "contradicts", "to": name(1)}
    entries = [
        entry(1, EntryKind.REASONING, confidence=0.9),
        entry(2, EntryKind.THOUGHT, edges=[against]),
    ]

    assert promoted(entries) == []


def test_what_is_posted_by_hand_cannot_break_it() -> None:
    """Details of any form are details: what is not of the expected one counts as not said."""
    odd: tuple[Any, ...] = (None, 7, "x", ["x", 1], {"a": 1}, True)
    names = ("confidence", "sources", "questions", "premises", "refuted_by", "edges", "contradicts")
    entries = [
        entry(n * 100 + m, EntryKind.REASONING, **{name: value})
        for n, name in enumerate(names, start=1)
        for m, value in enumerate(odd)
    ]

    assert len(promoted(entries, 0.5)) == len(entries)


@given(st.permutations(range(1, 9)))
def test_the_order_in_which_entries_are_read_does_not_matter(order: list[int]) -> None:
    """A retry reads entries that others have changed meanwhile, and decides the same."""
    entries = [
        entry(n, EntryKind.REASONING, confidence=n / 8, premises=[name(n - 1)], question=name(99))
        for n in range(1, 9)
    ]
    sorted_by_time, shuffled = select(entries, 0.5), select([entries[n - 1] for n in order], 0.5)

    assert sorted_by_time == shuffled
