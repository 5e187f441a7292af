"""LocalSwarm as a user's tests use it: no Ray, no database."""

import asyncio
import pickle
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinak_ray import InvalidInput, NotRunning, Swarm, Unavailable
from pinak_ray.embedding import HashingEmbedder
from pinak_ray.testing import LocalSwarm

ROOT = Path(__file__).parents[3]


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def contents(swarm: Swarm, query: str, **options: object) -> list[str]:
    """Return the contents that a recall finds, best first."""
    result = await swarm.agent("reader").recall(query, **options)  # type: ignore[arg-type]
    return [hit.content for hit in result.hits]


@pytest.mark.parametrize(
    ("page", "then"),
    [
        ("use/testing.md", "asyncio.run(test_a_failed_rollout_is_remembered())"),
        ("start/quickstart.md", ""),
    ],
)
def test_the_documented_examples_pass(page: str, then: str, tmp_path: Path) -> None:
    """The example of a page runs as it stands, and importing it starts no Ray."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    (example,) = [block for block in blocks if "LocalSwarm" in block]
    script = tmp_path / "example.py"
    run = f"import asyncio, ray\n{then}\nassert not ray.is_initialized()\n"
    script.write_text(f"{example}\n{run}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]


async def test_moving_the_clock_ends_what_has_a_time_to_live() -> None:
    """Items, entries and memories expire by the given clock: a test need not wait."""
    clock = Clock(datetime.now(UTC))
    swarm = LocalSwarm(clock=clock)
    ada = swarm.agent("ada")
    await ada.note("plan", 1, ttl_s=60)
    await swarm.board("b").post("locked", author="ada", ttl_s=60)
    await ada.remember("orders are locked", ttl_s=60)
    await ada.remember("orders are open")
    clock.now += timedelta(seconds=61)

    assert await ada.recollect() == ()
    assert await swarm.board("b").read() == ()
    assert await contents(swarm, "orders") == ["orders are open"]


async def test_twins_share_nothing_unless_beside_each_other() -> None:
    """Another namespace sees nothing; the same one, beside, is the same swarm."""
    first = LocalSwarm("acme", "one")
    await first.agent("ada").note("plan", 1)
    await first.agent("ada").remember("orders are locked")
    same = LocalSwarm("acme", "one", beside=first)

    assert [item.value for item in await same.agent("ada").recollect()] == [1]
    assert await contents(same, "orders") == ["orders are locked"]
    for other in (LocalSwarm("acme", "two", beside=first), LocalSwarm("acme", "one")):
        assert await other.agent("ada").recollect() == ()
        assert await contents(other, "orders") == []


async def test_closing_forgets_nothing() -> None:
    """A closed twin still answers, with the versions that it had."""
    async with LocalSwarm() as swarm:
        await swarm.agent("ada").note("plan", 1)
        await swarm.board("b").post("locked", author="ada")

    assert (await swarm.agent("ada").note("plan", 2, expected_version=1)).version == 2
    assert [entry.content for entry in await swarm.board("b").read()] == ["locked"]


def test_one_twin_serves_several_event_loops() -> None:
    """A twin made for a whole test session works in each test's own loop."""
    swarm = LocalSwarm()
    versions = [asyncio.run(_note_twice(swarm)) for _ in range(2)]

    assert versions == [[1, 2], [3, 4]]


async def _note_twice(swarm: Swarm) -> list[int | None]:
    notes = [swarm.agent("ada").note("plan", n) for n in range(2)]
    return [receipt.version for receipt in await asyncio.gather(*notes)]


async def test_operations_apply_in_the_order_they_were_issued() -> None:
    """Also where some find the agent active and others wait for it."""
    ada = LocalSwarm().agent("ada")
    receipts = await asyncio.gather(
        *(ada.note("plan", n, expected_version=n) for n in range(300)), ada.recollect()
    )

    assert [receipt.version for receipt in receipts[:-1]] == list(range(1, 301))


async def test_the_remote_lane_says_what_to_write() -> None:
    """There is no Ray to return a reference to."""
    with pytest.raises(InvalidInput, match="write `await` for Note"):
        LocalSwarm().agent("ada").note.remote("plan", 1)


def test_a_handle_of_a_twin_that_is_gone_says_so() -> None:
    """What another process, or one that let its twin go, unpickles leads nowhere."""
    pickled = pickle.dumps(LocalSwarm().agent("ada"))

    with pytest.raises(NotRunning, match="the process that made it"):
        pickle.loads(pickled)


class Broken(HashingEmbedder):
    """An embedder whose endpoint is down."""

    async def embed(self, texts: object) -> "object":  # type: ignore[override]
        """Refuse."""
        raise Unavailable("the endpoint does not answer")


async def test_a_broken_embedder_refuses_what_needs_it() -> None:
    """As in the stack: writes and words go on, meaning and `searchable` do not."""
    swarm = LocalSwarm(embedder=Broken(8))
    ada = swarm.agent("ada")
    await ada.remember("orders are locked")

    assert swarm.dimension == 8
    assert await contents(swarm, "order", recipe="lexical") == ["orders are locked"]
    for refused in (
        ada.recall("orders"),
        ada.intend("drop orders"),
        ada.remember("orders", ack="searchable"),
    ):
        with pytest.raises(Unavailable):
            await refused


@pytest.mark.parametrize("recipe", ["default", "rrf", "lexical", "dense"])
async def test_the_best_match_comes_first(recipe: str) -> None:
    """Every recipe ranks the memory that says it above those that share a word."""
    swarm = LocalSwarm()
    ada = swarm.agent("ada")
    wanted = "migration 42 locks the orders table during a rollout"
    for content in ("the canary rollout was paused for lunch", wanted, "lunch menu: soup"):
        await ada.remember(content)
    found = await contents(swarm, "which migration locks the orders table?", recipe=recipe)

    assert found[0] == wanted
    assert "lunch menu: soup" not in found


async def test_the_named_agent_is_preferred() -> None:
    """Of two equal memories, the one of the agent whom the query names comes first."""
    swarm = LocalSwarm()
    for name in ("Melanie", "Caroline"):
        await swarm.agent(name).remember("I painted the lake", session="s")
    result = await swarm.agent("a").recall("when did caroline paint the lake?", every_copy=True)

    assert [hit.agent for hit in result.hits] == ["Caroline", "Melanie"]
