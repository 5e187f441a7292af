"""The example's own verification is honest; its agents work in the twin as they do on a stack."""

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from pinak_ray.testing import LocalSwarm

EXAMPLE = Path(__file__).parents[2] / "examples" / "incident_swarm.py"


@pytest.fixture(scope="module")
def story() -> ModuleType:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("incident_swarm", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_a_broken_promise_is_seen(story: ModuleType) -> None:
    """A finding that is not there, work done twice, an open question: each is told as such."""
    async with LocalSwarm() as swarm:
        board, gates = swarm.board("checkout"), await story.prepare(swarm)
        for gate in gates:
            await board.finish(gate, author=story.LEAD)
        workers = [story.Worker(swarm.agent(name), board) for name in story.TEAM]
        logs = await asyncio.gather(*(worker.work() for worker in workers))
        log = {what: [each for own in logs for each in own[what]] for what in story.LOGGED}
        early = await story.join_late(swarm.agent("early"), board)
        log["promoted"] += (await board.promote(author=story.LEAD)).promoted
        ninth = await story.join_late(swarm.agent("ida"), board)

        async def broken(told: dict[str, Any] = ninth, **changed: list[Any]) -> set[str]:
            kept = await story.promises(board, {**log, **changed}, told)
            return {promise for promise, is_kept in kept.items() if not is_kept}

        assert await broken() == set()
        assert await broken(found=[*log["found"], uuid4()]) == {"no finding was lost"}
        assert await broken(done=[*log["done"], "errors"]) == {"every task was done, and once"}
        assert await broken(early) == {"the ninth recalls what was found"}
        assert await broken({**ninth, "warned": {}}) == {"the ninth is warned of what failed"}
        assert await broken(promoted=[]) == {"what was learned is remembered"}
        await board.ask("and now?", author="ida")
        assert await broken() == {"every question is answered"}
