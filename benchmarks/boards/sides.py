"""The two ways from a post to its watchers: a board, and a bare stream of Ray."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import ray

from pinak_ray import Swarm
from pinak_ray.concurrency.batching import Batcher

__all__ = ["BoardSide", "Post", "Side", "Stream", "StreamSide"]

Post: TypeAlias = Callable[[str, str], Awaitable[Any]]
"""Posts an author's content; done once it is acknowledged."""

_BATCH = 256  # as the client's lane to a host has it


class Side(Protocol):
    """Travels to the processes that post and watch."""

    def poster(self) -> Post:
        """Return how this process posts."""
        ...

    def watch(self) -> AsyncIterator[tuple[int, str]]:
        """Yield the `seq` and content of every post from the first on, as it comes."""
        ...


@dataclass(frozen=True, slots=True)
class BoardSide:
    """Ours: durable before it is acknowledged, and before it is shown."""

    swarm: Swarm
    board: str

    def poster(self) -> Post:
        """Return `board.post`."""
        board = self.swarm.board(self.board)
        return lambda author, content: board.post(content, author=author)

    async def watch(self) -> AsyncIterator[tuple[int, str]]:
        """Watch the board."""
        async with self.swarm.board(self.board).watch() as watcher:
            async for entry in watcher:
                yield entry.seq, entry.content


class Stream:
    """An actor that keeps a list in memory, and streams to each consumer what it has not had."""

    def __init__(self) -> None:
        self._posts: list[tuple[str, str]] = []
        self._more = asyncio.Event()

    async def publish(self, batch: Sequence[tuple[str, str]]) -> None:
        """Append posts, and wake all streams."""
        self._posts += batch
        self._more.set()
        self._more = asyncio.Event()

    async def stream(self) -> AsyncIterator[tuple[int, list[tuple[str, str]]]]:
        """Yield all that is new: how many came before it, and the posts."""
        had = 0
        while True:
            while had == len(self._posts):
                await self._more.wait()
            page = had, self._posts[had:]
            had = len(self._posts)
            yield page


@dataclass(frozen=True, slots=True)
class StreamSide:
    """The reference: nothing is committed, nothing can be resumed, and a consumer is never late."""

    actor: Any

    @classmethod
    def start(cls) -> "StreamSide":
        """Start an actor for one measurement."""
        actor_class: Any = ray.remote(Stream)
        return cls(actor_class.options(num_cpus=0, max_concurrency=2_000).remote())

    def poster(self) -> Post:
        """Return a batcher's `put`: one Ray call carries what waits, as our lanes do it."""

        async def carry(batch: Sequence[tuple[str, str]]) -> Sequence[None]:
            await self.actor.publish.remote(batch)
            return [None] * len(batch)

        lane: Batcher[tuple[str, str]] = Batcher(carry, max_batch=_BATCH)
        return lambda author, content: lane.put((author, content))

    async def watch(self) -> AsyncIterator[tuple[int, str]]:
        """Consume the actor's stream."""
        pages = self.actor.stream.options(num_returns="streaming").remote()
        async for reference in pages:
            before, posts = await reference
            for place, (_, content) in enumerate(posts, start=before + 1):
                yield place, content
