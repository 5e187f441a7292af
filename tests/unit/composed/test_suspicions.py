"""Suspicions: a detector of the caller's, and a bound on what is compared."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.composed import suspicions
from pinak_ray.composed.suspicions import suspect
from pinak_ray.records.board.suspicions import Suspect
from pinak_ray.records.limits import MAX_READ
from pinak_ray.records.operations import Read
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, Space
from pinak_ray.testing import LocalSwarm


async def test_another_detector_may_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model could take the place of the rules; refuted findings are not shown to it, and no
    more pairs than the bound."""
    monkeypatch.setattr(suspicions, "_MAX_PAIRS", 2)
    async with LocalSwarm("t", "p") as swarm:
        board = swarm.board("b")
        await board.ask("How many?", author="ann", key="n")
        ids = [
            (await board.post(each, author="ann", questions=["n"])).id
            for each in ("none", "few", "many", "all")
        ]
        at_odds = await board.contradict(ids[0], ids[3], "none or all", author="ann")
        await board.resolve(at_odds.id, "counted", author="ann", kept=ids[3])
        asked = []

        def detector(one: str, other: str) -> str:
            asked.append({one, other})
            return "another number" if {one, other} == {"few", "all"} else ""

        owner = Owner(swarm.namespace_id, Space.BOARD, "b")
        found = await suspect(swarm.transport.send, Suspect(owner), detector)

    assert [set(each.findings) for each in found.suspicions] == [{ids[1], ids[3]}]
    assert not any("none" in pair for pair in asked)
    assert found.left_out == 1


@given(st.lists(st.sets(st.integers(0, 12)), max_size=12))
def test_counting_by_arithmetic_is_counting(against: list[set[int]]) -> None:
    """However findings are set against each other, as many pairs are counted as there are."""
    entries = [finding(number, *others) for number, others in enumerate(against)]
    for question, findings in suspicions._findings(entries, None).items():
        assert suspicions._count(findings) == len([*suspicions._pairs(question, findings)])


async def test_a_full_board_is_answered() -> None:
    """Of 9,900 findings on one question 500 pairs are compared, and 49 million are not walked."""
    entries = [finding(number, number - 1) for number in range(9_900)]

    async def send(read: Read) -> tuple[Entry, ...]:
        return tuple(entries[read.after_seq :][:MAX_READ])

    found = await suspect(send, Suspect(Owner(1, Space.BOARD, "b")), lambda *_: "")  # type: ignore[arg-type]
    assert (found.suspicions, found.left_out) == ((), 9_900 * 9_899 // 2 - 9_899 - 500)


def finding(number: int, *against: int) -> Entry:
    """Return a finding on the one question, set against the ones of these numbers."""
    details = {"questions": [UUID(int=0)], "contradicts": [UUID(int=1 + n) for n in against]}
    id_, now = UUID(int=1 + number), datetime.now(UTC)
    return Entry(
        id_,
        number + 1,
        EntryKind.FINDING,
        "ann",
        None,
        "x",
        orjson.dumps(details),
        1,
        now,
        None,
        id_,
    )
