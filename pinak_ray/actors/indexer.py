"""The Indexer: embeds what the Writer committed, and sweeps what a crash left behind."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from pinak_ray.actors.config import StackConfig
from pinak_ray.actors.lifecycle import Lazy
from pinak_ray.embedding import Embedder, encode_halfvec, load_embedder
from pinak_ray.records.errors import Unavailable
from pinak_ray.store.database import Database
from pinak_ray.store.embedding_models import RegisteredModel, register_embedder
from pinak_ray.store.faults import is_transient
from pinak_ray.store.indexing import all_searchable, blame, index_some, owed
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Indexer"]

# Without a push (a crash took the Writer between commit and wake-up) work waits no longer.
_SWEEP_EVERY_S = 2.0
# Queued batches per transaction: few enough that a crash repeats under a second of embedding.
_BATCHES_AT_ONCE = 2
# Below every other process: a burst of writes is never slowed by embedding.
_NICENESS = 15


def _yield_to_others() -> None:
    """Lower this process's priority: below other threads, and below other sessions.

    Linux keeps niceness per thread, and new ones inherit it. With autogroups, which a machine
    without systemd has, it only counts within a session, all of Ray's workers being one; so the
    process leaves for a session of its own, and lowers that.
    """
    if sys.platform != "linux":
        os.nice(_NICENESS)
        return
    for thread in Path("/proc/self/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(thread.name), _NICENESS)
    autogroup = Path("/proc/self/autogroup")
    if autogroup.exists() and os.getsid(0) != os.getpid():
        # The leader of a process group cannot found a session: join the parent's group first.
        os.setpgid(0, os.getpgid(os.getppid()))
        os.setsid()
        autogroup.write_text(str(_NICENESS), encoding="ascii")


class Indexer:
    """One loop: take owed batches, embed, store; then wait for a push or the next sweep."""

    def __init__(self, config: StackConfig) -> None:
        configure_logs()
        _yield_to_others()
        self._config = config
        self._parts = Lazy(self._open)
        self._work = asyncio.Event()
        self._progress = asyncio.Condition()
        self._indexed = 0
        self._at_once = _BATCHES_AT_ONCE
        self._loop = asyncio.get_running_loop().create_task(self._run())

    async def _open(self) -> tuple[Database, Embedder, RegisteredModel]:
        embedder = await asyncio.to_thread(load_embedder, self._config.embedder)
        database = await Database.open(
            self._config.dsn,
            service_connections=3,
            statement_timeout_s=120.0,
            name="pinak-ray indexer",
        )
        model = await register_embedder(database, embedder)
        return database, embedder, model

    async def _run(self) -> None:
        while True:
            self._work.clear()  # before looking: a push that comes meanwhile counts
            try:
                await self._index_all()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                await self._fail(error)
            try:
                async with asyncio.timeout(_SWEEP_EVERY_S):
                    await self._work.wait()
            except TimeoutError:
                continue

    async def _index_all(self) -> None:
        database, embedder, model = await self._parts.get()

        async def encode(texts: Sequence[str]) -> Sequence[bytes]:
            return encode_halfvec(await embedder.embed(texts)) if texts else []

        while True:
            done = await index_some(database, encode, model_id=model.id, limit=self._at_once)
            self._at_once = _BATCHES_AT_ONCE
            if not done.memories:
                return
            self._indexed += done.memories
            async with self._progress:
                self._progress.notify_all()

    async def _fail(self, error: Exception) -> None:
        structlog.get_logger().warning("indexing_failed", error=repr(error))
        if is_transient(error):
            return
        if self._at_once == 1:
            # It failed alone, so no other batch shares the blame.
            database, _, _ = await self._parts.get()
            await blame(database, 1)
        self._at_once = 1
        self._work.set()

    async def wake(self) -> None:
        """Say that there is work."""
        self._work.set()

    async def searchable(self, keys: Sequence[tuple[int, UUID]], timeout_s: float = 20.0) -> None:
        """Return once each of these memories has its vector; raises Unavailable after a while."""
        database, _, model = await self._parts.get()
        try:
            async with asyncio.timeout(timeout_s):
                while not await all_searchable(database, keys, model_id=model.id):
                    self._work.set()
                    async with self._progress:
                        await self._progress.wait()
        except TimeoutError:
            raise Unavailable(
                f"durable, but not searchable after {timeout_s:.0f} s; the indexer is behind"
            ) from None

    async def model(self) -> RegisteredModel:
        """Return the model that this indexer stores vectors of."""
        _, _, model = await self._parts.get()
        return model

    async def ping(self) -> dict[str, Any]:
        """Return this indexer's numbers once its database and embedder have answered."""
        database, _, _ = await self._parts.get()
        if self._loop.done():
            raise Unavailable("the indexing loop has ended")
        backlog = await owed(database)
        return {
            "pid": os.getpid(),
            "queue_depth": backlog.memories,
            "set_aside": backlog.set_aside,
            "oldest_s": backlog.oldest_s,
            "indexed": self._indexed,
        }

    async def drain(self) -> None:
        """Stop; a batch in work is rolled back and stays in the queue, as all that is owed."""
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)
        if self._parts.opened is not None:
            database, embedder, _ = self._parts.opened
            await embedder.aclose()
            await database.aclose()
