"""What belongs to an event loop ends with it."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from pinak_ray.concurrency.per_loop import PerLoop
from tests.unit.client.test_http_transport import OK, READ, gateway


class _Value:
    """Something with a state."""

    def __init__(self) -> None:
        self.closed_in: asyncio.AbstractEventLoop | None = None

    async def aclose(self) -> None:
        self.closed_in = asyncio.get_running_loop()


def test_it_is_closed_in_its_own_loop() -> None:
    """asyncio.run closes it before it closes the loop; the next loop has another one."""
    per_loop = PerLoop(_Value, _Value.aclose)

    async def use() -> tuple[_Value, asyncio.AbstractEventLoop]:
        first, second = await per_loop.here(), await per_loop.here()
        assert first is second
        return first, asyncio.get_running_loop()

    values = [asyncio.run(use()) for _ in range(3)]
    assert [value.closed_in for value, _ in values] == [loop for _, loop in values]
    assert len({id(value) for value, _ in values}) == 3
    assert len(per_loop) == 0


def test_closing_it_makes_way_for_another() -> None:
    """After aclose the same loop begins anew, and a second aclose does nothing."""

    async def use() -> None:
        per_loop = PerLoop(_Value, _Value.aclose)
        first = await per_loop.here()
        await per_loop.aclose()
        await per_loop.aclose()
        assert first.closed_in is asyncio.get_running_loop()
        assert await per_loop.here() is not first

    asyncio.run(use())


@pytest.mark.parametrize("end", [lambda loop: loop.close(), lambda loop: None])
def test_loops_made_by_hand_are_let_go(end: Callable[[asyncio.AbstractEventLoop], None]) -> None:
    """A loop that was closed without its generators, or just dropped, is not kept for ever."""
    per_loop = PerLoop(_Value, _Value.aclose)
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []
    for _ in range(200):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(per_loop.here())
        loops.append(weakref.ref(loop))
        end(loop)
        del loop
        assert len(per_loop) <= 33
    gc.collect()
    assert sum(ref() is not None for ref in loops) <= 33


async def test_sockets_stay_few_over_http() -> None:
    """A thousand loops, one after the other and in threads, leave no connection behind."""
    async with gateway(lambda _: OK) as (transport, _):

        def calls() -> None:
            for _ in range(100):
                asyncio.run(transport.send(READ))

        def by_hand() -> None:
            for _ in range(100):
                loop = asyncio.new_event_loop()
                loop.run_until_complete(transport.send(READ))
                loop.close()

        before = _descriptors()
        await asyncio.to_thread(calls)
        assert _descriptors() <= before + 4
        threads = [threading.Thread(target=calls) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await asyncio.to_thread(by_hand)
        assert _descriptors() <= before + 140


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
