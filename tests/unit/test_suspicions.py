"""Suspicions: a detector of the caller's, and a bound on what is compared."""

import pytest

from pinak_ray.client import suspicions
from pinak_ray.client.suspicions import suspect
from pinak_ray.records.board_suspicions import Suspect
from pinak_ray.records.state import Owner, Space
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
