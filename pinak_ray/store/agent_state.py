"""State of agents and boards: taken under an epoch, loaded on first use, committed in groups."""

import asyncio
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pinak_ray.agents.changes import Change, PutEntry, PutItem
from pinak_ray.agents.host import Snapshot
from pinak_ray.concurrency.group_commit import Fates, GroupCommit, delays
from pinak_ray.records.errors import PinakError, StaleEpoch
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Origin
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, Space, WorkingItem
from pinak_ray.records.topology import Placement
from pinak_ray.store.database import Database
from pinak_ray.store.faults import is_transient, translated
from pinak_ray.store.queries import query
from pinak_ray.store.standbys import await_standbys

__all__ = ["AgentState", "take_shards"]

# Of one key's changes only the newest is written, so a crowd of writes to few keys costs little;
# 2048 distinct ones take about 0.2 s.
_MAX_BATCH = 2_048
# Operation id, id on the receipt, version.
_RECEIPT = struct.Struct("!16s16sq")


async def take_shards(database: Database, host: str, shards: Sequence[int]) -> dict[int, int]:
    """Make `host` the owner of these shards and return each one's new epoch.

    Whoever held them before is fenced from this moment on: its epoch is stale.
    """
    async with database.service() as connection:
        rows = await connection.fetch(query("agent_state", "take_shards"), sorted(shards), host)
    return {row["shard"]: row["epoch"] for row in rows}


@dataclass(slots=True)
class AgentState:
    """The StateStore over PostgreSQL. One lane, so that changes commit in the order they came."""

    database: Database
    host: str
    placement: Placement
    epochs: dict[int, int] = field(default_factory=dict)
    """The epoch under which this host took each of its shards."""
    _commits: GroupCommit[Change, PinakError] = field(init=False)

    def __post_init__(self) -> None:
        self._commits = GroupCommit(
            self._commit,
            "the host's commit queue",
            is_transient=is_transient,
            translated=translated,
            lanes=1,
            max_batch=_MAX_BATCH,
            size_of=_size,
        )

    async def take(self, shards: Iterable[int]) -> None:
        """Take these shards under new epochs; whoever held them before is fenced."""
        self.epochs |= await take_shards(self.database, self.host, tuple(shards))

    def follow(self, placement: Placement, keep: frozenset[int]) -> None:
        """Follow a new placement and let go of all shards but `keep`."""
        self.placement = placement
        self.epochs = {shard: epoch for shard, epoch in self.epochs.items() if shard in keep}

    @property
    def depth(self) -> int:
        """How many changes wait or are being committed."""
        return self._commits.depth

    @property
    def room(self) -> int:
        """How many more changes may be submitted now."""
        return self._commits.room

    async def load(self, owners: Sequence[Owner]) -> list[Snapshot]:
        """Return what was committed for each of these owners."""
        snapshots: list[Snapshot] = [Snapshot([], []) for _ in owners]
        await asyncio.gather(
            self._load_items(owners, snapshots), self._load_entries(owners, snapshots)
        )
        return snapshots

    async def _load_items(self, owners: Sequence[Owner], snapshots: list[Snapshot]) -> None:
        agents = [index for index, owner in enumerate(owners) if owner.space is Space.AGENT]
        if not agents:
            return
        namespaces = [owners[index].namespace_id for index in agents]
        names = [owners[index].name for index in agents]
        async with self.database.service() as connection:
            rows = await connection.fetch(query("agent_state", "load_items"), namespaces, names)
        for number, *item in rows:
            snapshots[agents[number - 1]].items.append(WorkingItem(*item))

    async def _load_entries(self, owners: Sequence[Owner], snapshots: list[Snapshot]) -> None:
        columns = [list(column) for column in zip(*owners, strict=True)]
        async with self.database.service() as connection:
            rows = await connection.fetch(query("agent_state", "load_entries"), *columns)
        for number, *entry in rows:
            snapshots[number - 1].entries.append(_entry(entry))

    @property
    def delays(self) -> dict[str, str]:
        """`{"delayed": why}` while nothing can be committed."""
        return delays(self._commits)

    def submit(
        self, changes: Sequence[Change], *, keep: bool = False
    ) -> "asyncio.Future[Fates[PinakError]]":
        """Queue changes; the fates of refused ones come back, StaleEpoch among them.

        With `keep` they were acknowledged already, and are tried until they are stored.
        """
        return self._commits.put(changes, keep=keep, beyond=keep)

    async def receipts(self, origin: Origin) -> dict[UUID, Receipt]:
        """Return the committed receipts of this batch, whichever hosts committed them."""
        async with self.database.service() as connection:
            rows = await connection.fetch(query("agent_state", "receipts"), *origin)
            if rows:
                await await_standbys(connection)
        return {
            UUID(bytes=operation): Receipt(UUID(bytes=id_), Ack.DURABLE, True, version)
            for row in rows
            for operation, id_, version in _RECEIPT.iter_unpack(row["receipts"])
        }

    async def drain(self) -> None:
        """Return when everything submitted before is committed or refused."""
        await self._commits.drain()

    async def aclose(self) -> None:
        """Commit what waits, then stop."""
        await self._commits.aclose()

    async def _commit(self, changes: Sequence[Change]) -> Fates[PinakError]:
        shards = {change.owner: self.placement.shard_of(change.owner) for change in changes}
        used = sorted(set(shards.values()))
        async with self.database.service() as connection:
            held = await connection.fetch(
                query("agent_state", "commit"),
                used,
                [self.epochs.get(shard, -1) for shard in used],
                *_item_columns(_newest_items(changes)),
                *_entry_columns(_newest_entries(changes)),
                self.host,
                *_receipt_columns(changes),
            )
        alive = {row["shard"] for row in held}
        if len(alive) == len(used):
            return {}
        fates: dict[int, PinakError | Exception] = {}
        kept: list[int] = []
        for index, change in enumerate(changes):
            shard = shards[change.owner]
            if shard in alive:
                kept.append(index)
            else:
                fates[index] = StaleEpoch(f"another host took shard {shard}")
        if kept:
            again = await self._commit([changes[index] for index in kept])
            fates |= {kept[position]: fate for position, fate in again.items()}
        return fates


def _size(change: Change) -> int:
    if isinstance(change, PutItem):
        return len(change.item.encoded)
    return len(change.entry.content) + len(change.entry.encoded_details)


def _entry(row: Any) -> Entry:
    id_, seq, kind, *rest = row
    return Entry(id_, seq, EntryKind(kind), *rest)


def _newest_items(changes: Sequence[Change]) -> list[PutItem]:
    """One statement may touch a row once, so of one key's changes only the last is written."""
    newest = {(c.owner, c.item.key): c for c in changes if isinstance(c, PutItem)}
    return list(newest.values())


def _newest_entries(changes: Sequence[Change]) -> list[PutEntry]:
    newest = {(c.owner, c.entry.id): c for c in changes if isinstance(c, PutEntry)}
    return list(newest.values())


def _item_columns(changes: Sequence[PutItem]) -> tuple[list[Any], ...]:
    return (
        [c.owner.namespace_id for c in changes],
        [c.owner.name for c in changes],
        [c.item.key for c in changes],
        [c.item.encoded for c in changes],
        [c.item.version for c in changes],
        [c.item.updated_at for c in changes],
        [c.item.expires_at for c in changes],
        [c.item.operation_id for c in changes],
        [c.item.spent_keys for c in changes],
    )


def _entry_columns(changes: Sequence[PutEntry]) -> tuple[list[Any], ...]:
    return (
        [c.owner.namespace_id for c in changes],
        [c.owner.space.value for c in changes],
        [c.owner.name for c in changes],
        [c.entry.id for c in changes],
        [c.entry.seq for c in changes],
        [c.entry.kind.value for c in changes],
        [c.entry.author for c in changes],
        [c.entry.key for c in changes],
        [c.entry.content for c in changes],
        [c.entry.encoded_details for c in changes],
        [c.entry.version for c in changes],
        [c.entry.created_at for c in changes],
        [c.entry.expires_at for c in changes],
        [c.entry.operation_id for c in changes],
        [c.entry.spent_keys for c in changes],
    )


def _receipt_columns(changes: Sequence[Change]) -> tuple[list[Any], ...]:
    """Return lanes, batches and receipts: of each lane its newest batch here, which is the one
    that may still be asked for."""
    batches: dict[UUID, tuple[int, list[bytes]]] = {}
    for change in changes:
        if change.origin is None:
            continue
        lane, number = change.origin
        if lane not in batches or batches[lane][0] < number:
            batches[lane] = number, []
        batches[lane][1].append(_packed_receipt(change))
    return (
        list(batches),
        [number for number, _ in batches.values()],
        [b"".join(receipts) for _, receipts in batches.values()],
    )


def _packed_receipt(change: Change) -> bytes:
    if isinstance(change, PutItem):
        operation = change.item.operation_id.bytes
        return _RECEIPT.pack(operation, operation, change.item.version)
    entry = change.entry
    return _RECEIPT.pack(entry.operation_id.bytes, entry.id.bytes, entry.version)
