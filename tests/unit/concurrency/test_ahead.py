"""Work that begins before it is needed ends with the block that may need it."""

import asyncio

import pytest

from pinak_ray.concurrency.ahead import ahead


async def test_it_runs_while_the_block_does_something_else() -> None:
    """What is awaited in the end has long begun."""
    began = asyncio.Event()

    async def work() -> str:
        began.set()
        return "found"

    async with ahead(work()) as task:
        await asyncio.wait_for(began.wait(), 60)
        assert await task == "found"


async def test_what_nobody_waited_for_is_over_when_the_block_is() -> None:
    """A block that ends early, or fails, leaves nothing running."""
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fail() -> None:
        async with ahead(work()):
            await asyncio.sleep(0)
            raise LookupError("the embedder")

    with pytest.raises(LookupError, match="embedder"):
        await fail()
    assert ended.is_set()


async def test_its_error_is_heard_by_whoever_waits_and_by_no_one_else() -> None:
    """An awaited failure is raised; one that nobody asked for is dropped without a complaint."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))

    async def work() -> None:
        raise OSError("down")

    with pytest.raises(OSError, match="down"):
        async with ahead(work()) as task:
            await task
    async with ahead(work()):
        await asyncio.sleep(0)
    del task
    assert complaints == []
