"""One pass over a namespace: what is weak is archived, what says the same is merged."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from pinak_ray.curation.duplicates import Candidate, SaysTheSame, keep_one, says_the_same
from pinak_ray.curation.strength import Use, strength
from pinak_ray.records.errors import Conflict
from pinak_ray.records.limits import MAX_LABELS
from pinak_ray.records.memory.curation import Curated, CurationPolicy, CurationReport, Reason
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.lifecycle import curation as store
from pinak_ray.store.lifecycle.archive import archive_memories, purge_archive

__all__ = ["curate", "curate_due"]

# From this salience on a memory was marked as one to keep: it is never forgotten.
_KEPT_SALIENCE = 0.8
# Memories that one pass looks at, of each sweep; beyond it the next one goes on.
_LOOKED_AT = 50_000
# A transaction holds its rows for some 50 ms: who wants one of them waits no longer.
_MEMORIES = 256
_PAIRS = 64
_GROUPS = 512
_SAMPLES = 10
_NOWHERE = store.Standing().forget_after


async def curate_due(database: Database, policy: CurationPolicy) -> int:
    """Curate each namespace that nobody curated lately; return how many memories went."""
    went = after = 0
    # Half the interval: another curator's pass counts, whatever the jitter of either.
    while found := await store.due_namespaces(
        database, after, every_s=policy.every_s / 2, acts=policy.acts
    ):
        for namespace_id, key in found.items():
            log = structlog.get_logger().bind(tenant=key.tenant, project=key.project)
            try:
                report = await curate(database, namespace_id, policy)
            except Conflict:
                log.info("curated_by_another")
            except Exception as error:
                # What one namespace cannot do must not keep the others from it.
                log.warning("curation_failed", error=repr(error))
            else:
                log.info("curated", **report.counts, purged=report.purged, s=report.duration_s)
                went += sum(report.counts.values())
        after = max(found)
    return went


async def curate(
    database: Database,
    namespace_id: int,
    policy: CurationPolicy,
    *,
    dry_run: bool = False,
    judge: SaysTheSame = says_the_same,
) -> CurationReport:
    """Make one pass over a namespace, and return its report; with `dry_run` nothing is changed.

    Raises Conflict while another curator is at it. `judge` says whether two similar texts say the
    same.
    """
    if dry_run:
        return await _Pass(database, namespace_id, policy, dry_run, judge).run()
    async with store.turn(database, namespace_id):
        return await _Pass(database, namespace_id, policy, dry_run, judge).run()


@dataclass(slots=True)
class _Pass:
    database: Database
    namespace_id: int
    policy: CurationPolicy
    dry_run: bool
    judge: SaysTheSame
    looked_at: int = 0
    bytes: int = 0
    complete: bool = True
    counts: dict[str, int] = field(default_factory=lambda: {reason.value: 0 for reason in Reason})
    samples: list[Curated] = field(default_factory=list)
    # Where this pass took a memory out of the way: by which one it is replaced, itself if by none.
    gone: dict[UUID, UUID] = field(default_factory=dict)

    async def run(self) -> CurationReport:
        began_at, began = datetime.now(UTC), time.perf_counter()
        async with self.database.service() as connection:
            start = await store.standing(connection, self.namespace_id)
            expired = await store.expired(connection, self.namespace_id)
        purged = await purge_archive(
            self.database,
            self.namespace_id,
            archive_days=self.policy.archive_days,
            dry_run=self.dry_run,
        )
        end = store.Standing(
            await self._forget(start.forget_after), await self._merge(start.merge_after)
        )
        report = CurationReport(
            dry_run=self.dry_run,
            began_at=began_at,
            duration_s=time.perf_counter() - began,
            looked_at=self.looked_at,
            counts=self.counts,
            bytes=self.bytes,
            expired=expired,
            purged=purged,
            complete=self.complete,
            samples=tuple(self.samples),
        )
        if not self.dry_run:
            async with self.database.service() as connection:
                await store.keep_report(connection, self.namespace_id, report, end)
        return report

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self.database.service() as connection, connection.transaction():
            yield connection

    async def _locked(self, connection: Connection, ids: Iterable[UUID]) -> list[UUID]:
        """Return which of these the pass may change; a dry run takes no locks."""
        if self.dry_run:
            return list(ids)
        return await store.lock(connection, self.namespace_id, ids)

    async def _forget(self, after: UUID) -> UUID:
        """Archive and delete what is weak, from behind `after` on; return where that ended."""
        if not self.policy.forget_below:
            return after
        older_than = timedelta(days=self.policy.forget_after_days)
        for _ in range(_LOOKED_AT // _MEMORIES):
            async with self._transaction() as connection:
                rows = await store.next_memories(
                    connection,
                    self.namespace_id,
                    after,
                    limit=_MEMORIES,
                    older_than=older_than,
                    salience=_KEPT_SALIENCE,
                )
                may_go = [row["id"] for row in rows if row["may_go"]]
                strengths = await self._strengths(connection, may_go)
                floor = self.policy.forget_below
                weak = {id_: each for id_, each in strengths.items() if each < floor}
                await self._archive(connection, weak)
            self.looked_at += len(rows)
            if len(rows) < _MEMORIES:
                return _NOWHERE
            after = rows[-1]["id"]
        self.complete = False
        return after

    async def _strengths(self, connection: Connection, ids: Sequence[UUID]) -> dict[UUID, float]:
        if not ids:
            return {}
        return {
            row["id"]: strength(
                Use(row["salience"], row["accesses"], row["idle_days"], row["usefulness"] or 0.0),
                half_life_days=self.policy.half_life_days,
            )
            for row in await store.uses(connection, self.namespace_id, ids)
        }

    async def _archive(self, connection: Connection, weak: dict[UUID, float]) -> None:
        locked = await self._locked(connection, weak) if weak else []
        if not locked:
            return
        for row in await store.texts(connection, self.namespace_id, locked):
            self._note(
                Curated(row["id"], Reason.WEAK, row["content"], weak[row["id"]]), row["bytes"]
            )
        if not self.dry_run:
            await archive_memories(connection, self.namespace_id, locked, Reason.WEAK)

    async def _merge(self, after: UUID) -> UUID:
        """Merge what says the same, of similar memories from behind `after` on; return the end."""
        if not self.policy.merge:
            return after
        async with self.database.service() as connection:
            groups = await store.same_texts(
                connection, self.namespace_id, groups=_GROUPS, each=2 * _PAIRS
            )
        self.complete = self.complete and len(groups) < _GROUPS
        for ids in groups:
            self.complete = self.complete and len(ids) < 2 * _PAIRS
            await self._merge_pairs([(ids[0], other) for other in ids[1:]])
        for _ in range(_LOOKED_AT // _PAIRS):
            async with self.database.service() as connection:
                pairs = await store.similar_pairs(
                    connection,
                    self.namespace_id,
                    after,
                    least_cosine=self.policy.merge_cosine,
                    limit=_PAIRS,
                )
            is_last = len(pairs) < _PAIRS
            if not is_last:
                # The last memory's other pairs may be on the next page: they come together.
                pairs = [pair for pair in pairs if pair[0] != pairs[-1][0]] or pairs
            await self._merge_pairs(pairs)
            if is_last:
                return _NOWHERE
            after = pairs[-1][0]
        self.complete = False
        return after

    async def _merge_pairs(self, pairs: Sequence[tuple[UUID, UUID]]) -> None:
        """Merge those of these pairs of which one says what the other does, in one transaction."""
        if not pairs:
            return
        self.looked_at += len(pairs)
        async with self._transaction() as connection:
            wanted = {self._keeper(id_) for pair in pairs for id_ in pair}
            locked = await self._locked(connection, wanted - self._forgotten(wanted))
            rows = await store.candidates(connection, self.namespace_id, locked)
            strengths = await self._strengths(connection, list(rows))
            labels = {id_: _Labels.of(row) for id_, row in rows.items()}
            for pair in pairs:
                one, other = map(self._keeper, pair)
                if one == other or one not in rows or other not in rows:
                    continue
                decided = keep_one(
                    _candidate(rows[one], strengths[one]),
                    _candidate(rows[other], strengths[other]),
                    self.judge,
                )
                if decided is None:
                    continue
                kept, merged, reason = decided
                self._note(
                    Curated(merged.id, reason, merged.content[:200], merged.strength, kept.id),
                    len(merged.content.encode()),
                )
                labels[kept.id].take(labels[merged.id])
                if not self.dry_run:
                    await store.merge(connection, self.namespace_id, kept.id, merged.id)
            if not self.dry_run:
                await self._enrich(connection, labels)

    async def _enrich(self, connection: Connection, labels: "dict[UUID, _Labels]") -> None:
        for id_, each in labels.items():
            if each.changed and id_ not in self.gone:
                await store.enrich(
                    connection,
                    self.namespace_id,
                    id_,
                    tags=each.tags,
                    entities=each.entities,
                    salience=each.salience,
                )

    def _keeper(self, id_: UUID) -> UUID:
        """Return what this pass has kept in the place of a memory."""
        while (kept := self.gone.get(id_, id_)) != id_:
            id_ = kept
        return id_

    def _forgotten(self, ids: Iterable[UUID]) -> set[UUID]:
        return {id_ for id_ in ids if self.gone.get(id_) == id_}

    def _note(self, curated: Curated, size: int) -> None:
        self.counts[curated.reason.value] += 1
        self.bytes += size
        self.gone[curated.id] = curated.kept or curated.id
        if len(self.samples) < _SAMPLES:
            self.samples.append(curated)


@dataclass(slots=True)
class _Labels:
    """What a kept memory takes over of those that it replaces."""

    tags: list[str]
    entities: list[str]
    salience: float
    changed: bool = False

    @classmethod
    def of(cls, row: Any) -> "_Labels":
        return cls(list(row["tags"]), list(row["entities"]), row["salience"])

    def take(self, other: "_Labels") -> None:
        before = (len(self.tags), len(self.entities), self.salience)
        self.tags = list(dict.fromkeys([*self.tags, *other.tags]))[:MAX_LABELS]
        self.entities = list(dict.fromkeys([*self.entities, *other.entities]))[:MAX_LABELS]
        self.salience = max(self.salience, other.salience)
        after = (len(self.tags), len(self.entities), self.salience)
        self.changed = self.changed or before != after


def _candidate(row: Any, now_strong: float) -> Candidate:
    return Candidate(
        row["id"], row["layer"], row["outcome"], row["content"], row["created_at"], now_strong
    )
