"""The processes that agents post from and watch in."""

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import ray

from benchmarks.boards.sides import Side
from benchmarks.boards.verdict import Seen

__all__ = ["BEGIN", "END", "Crowd", "Posted"]

BEGIN, END = -1, -2
"""Posts of the benchmark's own: the first and the last of a board."""

_NUMBERS = 1_000_000  # an agent's posts, at most: one number names the agent and the post
# A board takes 10,000 entries.
_POSTS_AT_MOST = 9_000
_WORDS = "rolling out " + "orders " * 24  # about 200 bytes with the head
_READY_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 180.0


class Posted(NamedTuple):
    """What one process posted."""

    acknowledged: "array[int]"
    began: float
    ended: float


class Agents:
    """Agents that post, each awaiting its receipt before it goes on."""

    async def mark(self, side: Side, post: int) -> None:
        """Post the first or the last of the board."""
        await side.poster()("benchmark", _content(post))

    async def post(
        self, side: Side, names: Sequence[int], agents: int, per_s: float | None, seconds: float
    ) -> Posted:
        """Post as fast as receipts come, or `per_s` a second among all agents, for some time."""
        put, acknowledged = side.poster(), array("q")
        began = time.monotonic()

        async def agent(index: int) -> None:
            for number in range(_POSTS_AT_MOST // agents):
                late = time.monotonic() - began
                due = late if per_s is None else (number * agents + index) / per_s
                if max(late, due) >= seconds:
                    return
                await asyncio.sleep(max(0.0, due - late))
                post = index * _NUMBERS + number
                await put(f"agent-{index:03d}", _content(post))
                acknowledged.append(post)

        await asyncio.gather(*map(agent, names))
        return Posted(acknowledged, began, time.monotonic())


class Watching:
    """Watchers of one board, from its first post to its last."""

    def __init__(self) -> None:
        self._following: list[asyncio.Task[Seen]] = []

    async def begin(self, side: Side, watchers: int) -> None:
        """Return when each has had the first post, and waits for the next."""
        ready = [asyncio.Event() for _ in range(watchers)]
        self._following = [asyncio.create_task(_follow(side, event)) for event in ready]
        async with asyncio.timeout(_READY_TIMEOUT_S):
            await asyncio.gather(*(event.wait() for event in ready))

    async def end(self) -> list[Seen]:
        """Return what each has seen, once it has had the last post."""
        async with asyncio.timeout(_END_TIMEOUT_S):
            return await asyncio.gather(*self._following)


async def _follow(side: Side, ready: asyncio.Event) -> Seen:
    seen = Seen()
    async for seq, content in side.watch():
        arrived = time.monotonic()
        head, posted, _ = content.split(" ", 2)
        post = int(head)
        if post == END:
            break
        if post == BEGIN:
            ready.set()
        else:
            seen.add(post, seq, float(posted), arrived)
    return seen


def _content(post: int) -> str:
    return f"{post} {time.monotonic()!r} {_WORDS}"


@dataclass(frozen=True, slots=True)
class Crowd:
    """As many agents as watchers, in processes of their own."""

    size: int
    posting: Sequence[Any]
    watching: Sequence[Any]

    @classmethod
    def gather(cls, size: int, processes: int) -> "Crowd":
        """Start the processes: so many to watch, and half as many to post."""
        agents: Any = ray.remote(num_cpus=0)(Agents)
        watching: Any = ray.remote(num_cpus=0)(Watching)
        return cls(
            size,
            [agents.remote() for _ in range(max(1, processes // 2))],
            [watching.remote() for _ in range(min(size, processes))],
        )

    def begin(self, side: Side) -> None:
        """Let everybody watch."""
        ray.get(self.posting[0].mark.remote(side, BEGIN), timeout=_READY_TIMEOUT_S)
        shares = [len(range(self.size)[i :: len(self.watching)]) for i in range(len(self.watching))]
        ready = [w.begin.remote(side, n) for w, n in zip(self.watching, shares, strict=True)]
        ray.get(ready, timeout=_READY_TIMEOUT_S)

    def post(self, side: Side, per_s: float | None, seconds: float) -> list[Any]:
        """Let everybody post; returns Ray's references to what was."""
        step = len(self.posting)
        return [
            each.post.remote(side, range(self.size)[i::step], self.size, per_s, seconds)
            for i, each in enumerate(self.posting)
        ]

    def end(self, side: Side, posting: Sequence[Any]) -> tuple[list[Posted], list[Seen]]:
        """Return what was posted and seen once all of it was."""
        posted: list[Posted] = ray.get(posting, timeout=_END_TIMEOUT_S)
        ray.get(self.posting[0].mark.remote(side, END), timeout=_END_TIMEOUT_S)
        seen = ray.get([each.end.remote() for each in self.watching], timeout=2 * _END_TIMEOUT_S)
        return posted, [each for share in seen for each in share]
