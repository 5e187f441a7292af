"""The mirrors of one process: which namespaces are held, and how each stays true."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt
import structlog

from pinak_ray.records.memory.rows import Row
from pinak_ray.store.database import Database
from pinak_ray.store.mirrors.namespace_mirror import NamespaceMirror, Places
from pinak_ray.store.mirrors.pages import Page
from pinak_ray.store.queries import query
from pinak_ray.store.vectors.segments import SEAL_AT

__all__ = ["Held", "Mirrors", "numbers_of"]

# Below, the database takes as long as it takes to say what is known.
_LEAST = 100
_LOOK_EVERY_S = 5.0
# What does not fit is not read again every few seconds.
_REFUSED_FOR_S = 900.0
# What was purged goes with the next whole load.
_RELOAD_AFTER_S = 900.0
# Whoever writes vectors is done in milliseconds; a longer one is waited for at the next look.
_SETTLE_TIMEOUT_S = 5.0
_SETTLE_POLL_S = 0.05
_PAGE = 2_000
# Some 5 ms, in which the loop does nothing else.
_ADDED_AT_ONCE = 128
_KINDS = ("own", "windows")


@dataclass(slots=True, eq=False)
class Held:
    """A mirror, and up to where it is the database: at generation `number`, read at `read_at`.

    Nobody writes a vector of a kind that is numbered below `since` any more; what was committed
    before `horizon` is held.
    """

    mirror: NamespaceMirror
    loaded_at: float
    since: dict[str, int]
    number: int = -1
    settled: int = -1
    """The generation at which `since` was found."""
    read_at: float = 0.0
    horizon: str | None = None
    following: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_old(self) -> bool:
        """Whether what was purged since it was loaded is to be let go."""
        return time.monotonic() - self.loaded_at > _RELOAD_AFTER_S


def numbers_of(rows: Sequence[Row]) -> npt.NDArray[np.intp]:
    """Return which of the places that were asked for each row is of, (n,)."""
    return np.array([row["number"] for row in rows], dtype=np.intp) - 1


@dataclass(slots=True)
class Mirrors:
    """Mirrors of namespaces for one model, least recently used first, bounded in bytes.

    A namespace is mirrored in the background when it is first asked for, under its own row-level
    security, and no mirror answers for another one.
    """

    database: Database
    model_id: int
    dimension: int
    budget_bytes: int = 256 << 20
    most_rows: int = SEAL_AT
    _held: dict[int, Held] = field(default_factory=dict)
    # When to look next, and the last look.
    _looks: "dict[int, tuple[float, asyncio.Task[None]]]" = field(default_factory=dict)

    def of(self, namespace_id: int) -> Held | None:
        """Return the namespace's mirror, None while there is none; follow it before use."""
        self._look(namespace_id)
        held = self._held.pop(namespace_id, None)
        if held is not None:
            self._held[namespace_id] = held  # as the one used last
        return held

    async def follow(self, namespace_id: int, held: Held, *, number: int | None = None) -> None:
        """Bring a mirror to the generation `number`, or to that of now.

        Callers who ask at the same time share a step.
        """
        async with held.following:
            if number is None or held.number < number:
                await self._bring(namespace_id, held)

    async def read(self, namespace_id: int, held: Held, places: Places) -> Sequence[Row] | None:
        """Return the rows of memories, by id; None where a mirror has to be followed first.

        Then some are over, or told of otherwise, since it was: the mirror has learnt of these.
        """
        mirror, ids = held.mirror, held.mirror.raw_ids(places)
        async with self.database.reading(namespace_id, generic_plans=True) as connection:
            rows = await connection.fetch(
                query("mirrors", "read"), namespace_id, self.model_id, ids
            )
        found = numbers_of(rows)
        differ = mirror.windows_differ(places[found], [row["window_seq"] for row in rows])
        over = np.delete(places, found)
        mirror.bury(over)
        mirror.drop_windows(differ)
        return None if len(over) or len(differ) else rows

    async def loaded(self, namespace_id: int) -> bool:
        """Return whether this namespace is held, once a look that is under way has ended."""
        _, look = self._looks.get(namespace_id, (0.0, None))
        if look is not None:
            await asyncio.wait({look})
        return namespace_id in self._held

    async def aclose(self) -> None:
        """Stop looking, and forget everything."""
        looks = {look for _, look in self._looks.values()}
        for look in looks:
            look.cancel()
        if looks:
            await asyncio.wait(looks)
        self._held.clear()

    async def _bring(self, namespace_id: int, held: Held) -> None:
        async with self.database.service() as connection:
            state = await connection.fetchrow(
                query("mirrors", "state"), namespace_id, self.model_id, held.horizon
            )
        assert state is not None
        pages = await asyncio.gather(
            *(
                self._page(namespace_id, kind, held.since[kind], None, held.horizon, state[kind])
                for kind in _KINDS
            )
        )
        for kind, page in zip(_KINDS, pages, strict=True):
            for part in page.parts(_ADDED_AT_ONCE):
                getattr(held.mirror, f"add_{kind}")(part)
                await asyncio.sleep(0)  # let others have the loop
        held.mirror.purge(state["forgotten"])
        await self._let_go(
            namespace_id, held.mirror, state["documents"] + state["queued"], state["told"]
        )
        held.number, held.horizon = state["number"], state["horizon"]
        held.read_at = state["read_at"].timestamp()

    async def _let_go(
        self, namespace_id: int, mirror: NamespaceMirror, memories: int, windows: int
    ) -> None:
        """Forget what was purged, where more is held than there is."""
        doubtful = mirror.doubtful(memories, windows)
        if any(doubtful):
            async with self.database.reading(namespace_id) as connection:
                gone = await connection.fetchrow(query("mirrors", "gone"), namespace_id, *doubtful)
            assert gone is not None
            mirror.purge(gone["memories"])
            mirror.purge_windows(gone["windows"])

    async def _page(
        self,
        namespace_id: int,
        kind: str,
        since: int,
        end: int | None,
        horizon: str | None = None,
        ids: Sequence[UUID] = (),
    ) -> Page:
        async with self.database.reading(namespace_id, generic_plans=True) as connection:
            row = await connection.fetchrow(
                query("mirrors", kind),
                *(namespace_id, self.model_id, since, end),
                *(_PAGE if end is not None else None, horizon, ids),
            )
        assert row is not None
        return Page.of(row, self.dimension)

    def _look(self, namespace_id: int) -> None:
        next_at, look = self._looks.get(namespace_id, (0.0, None))
        now = time.monotonic()
        if look is None or (look.done() and now >= next_at):
            self._looks = {
                other: (at, task)
                for other, (at, task) in self._looks.items()
                if not task.done() or now < at
            }
            look = asyncio.create_task(self._see(namespace_id))
            self._looks[namespace_id] = now + _LOOK_EVERY_S, look

    async def _see(self, namespace_id: int) -> None:
        try:
            await self._load(namespace_id)
        except Exception as error:
            structlog.get_logger().warning("namespace_not_mirrored", error=repr(error))

    async def _load(self, namespace_id: int) -> None:
        """Mirror a namespace anew, or note that nobody writes what is held already."""
        held = self._held.get(namespace_id)
        if held is not None and held.is_old:
            held = None
        if held is not None and held.number == held.settled:
            return
        ends, rows, writers = await self._ends(namespace_id)
        if rows < _LEAST or rows > self.most_rows or await self._is_being_analysed(namespace_id):
            return
        if not await self._settled(writers):
            return
        if held is None:
            held = Held(NamespaceMirror(self.dimension), time.monotonic(), dict.fromkeys(_KINDS, 0))
            for kind in _KINDS:
                if not await self._fill(namespace_id, held, kind, ends[kind]):
                    self._refuse(namespace_id)
                    return
            held.since = ends
            await self.follow(namespace_id, held)
            if len(held.mirror) < await self._count(namespace_id):
                return  # the model does not have them all yet: the database finds the rest by words
        else:
            await self.follow(namespace_id, held)
            held.since = ends
        held.settled = held.number
        self._put(namespace_id, held)

    async def _fill(self, namespace_id: int, held: Held, kind: str, end: int) -> bool:
        """Read all that is numbered before `end`; False if it would not fit."""
        since = 0
        while since < end:
            page = await self._page(namespace_id, kind, since, end)
            if page.last is None:
                break
            await asyncio.to_thread(getattr(held.mirror, f"add_{kind}"), page)
            if held.mirror.nbytes > self.budget_bytes:
                return False
            since = page.last + 1
        return True

    async def _ends(self, namespace_id: int) -> tuple[dict[str, int], int, list[str]]:
        """Return where vectors end that are numbered by now, how many memories there are, and who
        may add vectors.
        """
        async with self.database.service() as connection:
            of = (namespace_id, self.model_id)
            rows = await connection.fetchval(
                query("mirrors", "rows"), namespace_id, self.most_rows + 1
            )
            ends = {
                kind: await connection.fetchval(query("vector_cache", "end"), *of, number)
                for number, kind in enumerate(_KINDS)
            }
            writers = await connection.fetch(query("vector_cache", "writers"))
        return ends, rows, [row["virtualtransaction"] for row in writers]

    async def _is_being_analysed(self, namespace_id: int) -> bool:
        """Tell whether rows get other terms now, of which no generation tells."""
        async with self.database.service() as connection:
            return bool(
                await connection.fetchval(query("mirrors", "is_being_analysed"), namespace_id)
            )

    async def _count(self, namespace_id: int) -> int:
        async with self.database.reading(namespace_id) as connection:
            return int(await connection.fetchval(query("mirrors", "count"), namespace_id))

    async def _settled(self, writers: Sequence[str]) -> bool:
        """Return True once these transactions have ended, False if one goes on for long."""
        ends_at = time.monotonic() + _SETTLE_TIMEOUT_S
        while writers:
            async with self.database.service() as connection:
                if not await connection.fetchval(query("vector_cache", "still_writing"), writers):
                    break
            if time.monotonic() > ends_at:
                return False
            await asyncio.sleep(_SETTLE_POLL_S)  # PostgreSQL tells nobody when a transaction ends
        return True

    def _refuse(self, namespace_id: int) -> None:
        self._held.pop(namespace_id, None)
        self._looks[namespace_id] = time.monotonic() + _REFUSED_FOR_S, self._looks[namespace_id][1]

    def _put(self, namespace_id: int, held: Held) -> None:
        self._held.pop(namespace_id, None)
        self._held[namespace_id] = held
        size = sum(each.mirror.nbytes for each in self._held.values())
        while size > self.budget_bytes:
            oldest = next(iter(self._held))
            size -= self._held.pop(oldest).mirror.nbytes
