"""What is written behind an answer."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from pinak_ray.concurrency import write_behind
from pinak_ray.concurrency.write_behind import WriteBehind

AN_HOUR = 3600.0
Batch = Sequence[tuple[str, int]]


async def test_what_waits_is_written_in_batches_with_the_last_value_a_key() -> None:
    """One write for many, none larger than a batch, and what was replaced is never written."""
    written: list[Batch] = []

    async def write(batch: Batch) -> None:
        written.append(batch)

    queue = WriteBehind("lost", write, capacity=10, batch=2, gather_s=AN_HOUR)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        assert queue.put(key, value)
    await queue.aclose()

    assert written == [[("a", 3), ("b", 2)], [("c", 4)]]


async def test_a_full_queue_takes_no_other_key() -> None:
    """It is bounded, and says so; the keys that wait may still change."""
    written: list[Batch] = []

    async def write(batch: Batch) -> None:
        written.append(batch)

    queue = WriteBehind("lost", write, capacity=1, batch=8, gather_s=AN_HOUR)
    assert queue.put("a", 1)
    assert not queue.put("b", 2)
    assert queue.put("a", 3)
    await queue.aclose()

    assert written == [[("a", 3)]]


async def test_a_failed_batch_is_lost_and_the_others_are_written() -> None:
    """It is told in the log; the queue goes on."""
    written: list[str] = []

    async def write(batch: Batch) -> None:
        if batch[0][0] == "bad":
            raise ValueError("bad")
        written.extend(key for key, _ in batch)

    queue = WriteBehind("figures_lost", write, capacity=8, batch=1, gather_s=AN_HOUR)
    for key in ("a", "bad", "b"):
        queue.put(key, 0)
    with capture_logs() as logs:
        await queue.aclose()

    assert written == ["a", "b"]
    assert [log["event"] for log in logs] == ["figures_lost"]


async def test_what_may_pass_is_written_again_but_for_newer_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the database is away nothing is lost, and nothing old overwrites what is new."""
    monkeypatch.setattr(write_behind, "_AFTER_A_FAULT_S", 0.0)
    written: dict[str, int] = {}
    tries = 0

    async def write(batch: Batch) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            queue.put("a", 2)
            raise OSError("away")
        written.update(batch)

    queue = WriteBehind(
        "lost", write, capacity=8, batch=1, gather_s=0.0, stays=lambda e: isinstance(e, OSError)
    )
    queue.put("a", 1)
    queue.put("b", 1)
    await queue.aclose()

    assert written == {"a": 2, "b": 1}


async def test_closing_waits_no_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that hangs holds up no process that ends."""
    monkeypatch.setattr(write_behind, "_CLOSE_TIMEOUT_S", 0.01)

    async def write(batch: Batch) -> None:
        await asyncio.Event().wait()

    queue = WriteBehind("lost", write, capacity=8, batch=8, gather_s=0.0)
    queue.put("a", 1)
    await asyncio.wait_for(queue.aclose(), 60)
