"""The Indexer: embeds what the Writer committed, and sweeps what a crash left behind."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import ray
import structlog

from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.concurrency.lazy import Lazy
from pinak_ray.concurrency.periodic import every, set_within
from pinak_ray.embedding import (
    Embedder,
    trouble_of,
)
from pinak_ray.records.errors import EmbedderUnavailable, PinakError, Unavailable
from pinak_ray.records.operations import Operation
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR, Topology
from pinak_ray.services.config import StackConfig
from pinak_ray.services.connections import INDEXER_POOL
from pinak_ray.services.indexing.backfilling import BackfillLane
from pinak_ray.services.indexing.encoding import encoder_of
from pinak_ray.services.indexing.linking import keep_linking
from pinak_ray.services.indexing.telling import Telling
from pinak_ray.services.serving import Following, embedding_error, load_serving
from pinak_ray.store.database import Database
from pinak_ray.store.faults import is_transient
from pinak_ray.store.indexing.backfill import Backfilled
from pinak_ray.store.indexing.holding import let_all_go
from pinak_ray.store.indexing.indexing import (
    OWN_TEXT,
    IndexedBatch,
    Key,
    Turn,
    index_some,
    owed,
)
from pinak_ray.store.indexing.reanalysis import reanalyse_some, to_reanalyse
from pinak_ray.store.indexing.searchable import SearchableWaits
from pinak_ray.store.indexing.windows import settle_words, unsettled
from pinak_ray.store.memories.links import link_some, unlinked
from pinak_ray.store.models.embedding_models import RegisteredModel, kept_models
from pinak_ray.store.vectors.segments import seal_some, unsealed
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Indexer"]

R = TypeVar("R")

# Without a push (a crash took the Writer between commit and wake-up) work waits no longer.
_SWEEP_EVERY_S = 2.0
# While one lane stores, another embeds; a third would only make each wait longer.
_LANES = 2
# Memories per transaction: half a second of embedding, which is what a crash repeats.
_MEMORIES_AT_ONCE = 128
_SETTLE_EVERY_S = 1.0
_REANALYSE_EVERY_S = 1.0
# A piece waits for what somebody waits for, but not for ever.
_REANALYSE_PATIENCE_S = 2.0
# A tail grows by 20,000 in a minute at most, and each look reads the figures of every namespace.
_SEAL_EVERY_S = 5.0
# How soon a wait hears of what another Indexer did.
_RECHECK_EVERY_S = 0.25
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


class _Parts(NamedTuple):
    database: Database
    embedder: Embedder
    model: RegisteredModel
    waits: SearchableWaits

    async def aclose(self) -> None:
        """Release the embedder and the connections."""
        await self.embedder.aclose()
        await self.database.aclose()


class Indexer:
    """Lanes that each take owed batches, embed and store; then wait for a push or the sweep."""

    def __init__(self, config: StackConfig) -> None:
        configure_logs()
        _yield_to_others()
        self._config = config
        self._parts = Following(self._open)
        self._work = asyncio.Event()
        self._indexed = 0
        self._turn = Turn()
        self._at_work = 0
        self._quiet = asyncio.Event()
        self._indexed_at = -_SWEEP_EVERY_S
        self._transport = Lazy(self._connect)
        self._telling = Telling(
            self._serving, self._send, timedelta(seconds=config.nudge_cooldown_s)
        )
        backfill = BackfillLane(
            config, self._parts.get, encoder_of, quiet=self._quiet, embedded=self._backfilled
        )
        self._work.set()
        loops = [
            *(
                every(_SWEEP_EVERY_S, self._lane(), "indexing_failed", wake=self._work)
                for _ in range(_LANES)
            ),
            every(_RECHECK_EVERY_S, self._recheck, "recheck_failed"),
            every(_SETTLE_EVERY_S, self._settle_some, "settling_failed"),
            every(_REANALYSE_EVERY_S, self._reanalyse_some, "reanalysis_failed"),
            every(_SEAL_EVERY_S, self._seal_some, "sealing_failed"),
            backfill.run(),
            self._telling.run(),
        ]
        if config.auto_links:
            loops.append(keep_linking(self._link_some, self._is_busy))
        self._loops = list(map(asyncio.get_running_loop().create_task, loops))

    async def _send(self, operation: Operation[R]) -> R:
        """Carry out an operation as a client of the stack does."""
        return await (await self._transport.get()).send(operation)

    async def _connect(self) -> RayTransport:
        supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
        topology: Topology = await supervisor.topology.remote()
        *_, model = await self._serving()
        return RayTransport(topology, model)

    async def _open(self) -> _Parts:
        database = await Database.open(
            self._config.dsn,
            service_connections=INDEXER_POOL.service,
            reader_connections=INDEXER_POOL.reader,
            reader_dsn=self._config.reader_dsn,
            statement_timeout_s=120.0,
            name="pinak-ray indexer",
        )
        try:
            # One batch a core instead of one batch on all: more texts/s, each later.
            model, embedder = await load_serving(
                database, self._config, threads=1, workers=os.cpu_count() or 1
            )
        except BaseException:
            await database.aclose()
            raise
        now = self._parts.opened
        if now is None:
            await let_all_go(database)
            waits = SearchableWaits(database, model.id, lambda: trouble_of(embedder))
        else:  # who waits goes on waiting, for the new model's vectors
            waits = replace(
                now.waits,
                database=database,
                model_id=model.id,
                trouble=lambda: trouble_of(embedder),
            )
        return _Parts(database, embedder, model, waits)

    def _lane(self) -> Callable[[], Awaitable[None]]:
        limit = _MEMORIES_AT_ONCE

        async def index() -> None:
            nonlocal limit
            self._at_work += 1
            self._quiet.clear()
            try:
                while (await self._index(limit)).rows:
                    limit = min(2 * limit, _MEMORIES_AT_ONCE)
            except Exception as error:
                limit = 1  # whichever row is at fault fails alone
                if not is_transient(error):
                    self._work.set()
                raise
            finally:
                self._at_work -= 1
                if not self._at_work:
                    self._quiet.set()

        return index

    async def _settle_some(self) -> int:
        """Write windows, on a lane of their own; their vectors are the back-fill's."""
        database, _, model, _ = await self._parts.get()
        return await settle_words(database, model_id=model.id, quiet_s=self._config.window_quiet_s)

    async def _reanalyse_some(self) -> int:
        """Renew the terms of a piece, in half of the time that indexing leaves."""
        database, *_ = await self._parts.get()
        await set_within(self._quiet, _REANALYSE_PATIENCE_S)
        started = asyncio.get_running_loop().time()
        done = await reanalyse_some(database)
        if done:
            await asyncio.sleep(asyncio.get_running_loop().time() - started)
        return done

    async def _serving(self) -> tuple[Database, Embedder, RegisteredModel]:
        parts = await self._parts.get()
        return parts.database, parts.embedder, parts.model

    async def _seal_some(self) -> int:
        # Of every kept model: one that is switched to is then as fast as the one before.
        database = (await self._parts.get()).database
        for kept in await kept_models(database):
            if rows := await seal_some(database, model_id=kept.model.id):
                structlog.get_logger().info("segment_sealed", rows=rows)
                return rows
        return 0

    async def _link_some(self) -> int:
        database, embedder, model, _ = await self._parts.get()
        return await link_some(database, model_id=model.id, knows=embedder.knows)

    def _is_busy(self) -> bool:
        """Tell whether memories were indexed just now."""
        return asyncio.get_running_loop().time() - self._indexed_at < _SWEEP_EVERY_S

    async def _index(self, limit: int) -> IndexedBatch:
        database, embedder, model, waits = await self._parts.get()
        if (why := trouble_of(embedder)) is not None:
            raise EmbedderUnavailable(why)  # nothing is taken that cannot be embedded
        done = await index_some(
            database,
            encoder_of(embedder),
            model_id=model.id,
            limit=limit,
            turn=self._turn,
            auto_links=self._config.auto_links,
        )
        if done.rows:
            self._indexed_at = asyncio.get_running_loop().time()
        self._indexed += done.memories
        self._telling.wake()
        waits.indexed(done.keys, done.refused)
        return done

    def _backfilled(self, done: Backfilled) -> None:
        """Tell who waits: the model that serves may owe something since it was switched to."""
        now = self._parts.opened
        if now is not None and (done.model_id, done.kind) == (now.model.id, OWN_TEXT):
            now.waits.indexed(done.keys, done.refused)

    async def _recheck(self) -> None:
        if self._parts.opened is not None:
            await self._parts.opened.waits.recheck()

    async def wake(self) -> None:
        """Say that there is work."""
        self._work.set()

    async def searchable(
        self, keys: Sequence[Key], timeout_s: float = 20.0
    ) -> dict[int, PinakError]:
        """Return once each memory has its vector; those that get none, by index, with why."""
        parts = await self._parts.get()
        self._work.set()
        fates = await parts.waits.until_searchable(keys, timeout_s=timeout_s)
        return {index: fates[key] for index, key in enumerate(keys) if key in fates}

    async def ping(self) -> dict[str, Any]:
        """Return this indexer's numbers once its database and embedder have answered."""
        parts = await self._parts.get()
        if any(loop.done() for loop in self._loops):
            raise Unavailable("an indexing loop has ended")
        backlog = await owed(parts.database, model_id=parts.model.id)
        return {
            "pid": os.getpid(),
            "queue_depth": backlog.memories,
            "set_aside": backlog.set_aside,
            "oldest_s": backlog.oldest_s,
            "unsettled": await unsettled(parts.database),
            "unanalysed": await to_reanalyse(parts.database),
            "unsealed": await unsealed(parts.database, model_id=parts.model.id),
            "unlinked": await unlinked(parts.database),
            "indexed": self._indexed,
            "told": self._telling.told,
            **embedding_error(parts.embedder),
            "model": parts.model.name,
            "model_id": parts.model.id,
        }

    async def drain(self) -> None:
        """Stop; a batch in work is rolled back and stays in the queue, as all that is owed."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._parts.aclose()
