"""State of agents and boards: taken under an epoch, loaded on first use, committed in groups."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pinak_ray.agents.changes import Change, PutEntry, PutItem
from pinak_ray.agents.host import Snapshot
from pinak_ray.records.errors import PinakError, StaleEpoch
from pinak_ray.records.state import Entry, EntryKind, Owner, Space, WorkingItem, shard_of
from pinak_ray.store.database import Database
from pinak_ray.store.group_commit import Fates, GroupCommit
from pinak_ray.store.queries import query

__all__ = ["AgentState", "take_shards"]


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
    epochs: dict[int, int]
    """The epoch under which this host took each of its shards."""
    _commits: GroupCommit[Change, PinakError] = field(init=False)

    def __post_init__(self) -> None:
        self._commits = GroupCommit(self._commit, "the host's commit queue", lanes=1, max_batch=512)

    @classmethod
    async def take(cls, database: Database, host: str, shards: Sequence[int]) -> Self:
        """Take the shards and return the store that writes under the new epochs."""
        return cls(database, await take_shards(database, host, shards))

    @property
    def depth(self) -> int:
        """How many changes wait or are being committed."""
        return self._commits.depth

    async def load(self, owner: Owner) -> Snapshot:
        """Return what was committed for this owner."""
        async with self.database.service() as connection:
            items = []
            if owner.space is Space.AGENT:
                items = await connection.fetch(query("agent_state", "load_items"), *_address(owner))
            entries = await connection.fetch(query("agent_state", "load_entries"), *owner)
        return Snapshot([WorkingItem(*row) for row in items], [_entry(row) for row in entries])

    async def submit(self, changes: Sequence[Change]) -> Fates[PinakError]:
        """Commit changes in order; the fates of refused ones come back, StaleEpoch among them."""
        return await self._commits.submit(changes)

    async def drain(self) -> None:
        """Return when everything submitted before is committed or refused."""
        await self._commits.drain()

    async def aclose(self) -> None:
        """Commit what waits, then stop."""
        await self._commits.aclose()

    async def _commit(self, changes: Sequence[Change]) -> Fates[PinakError]:
        shards = {change.owner: shard_of(change.owner) for change in changes}
        used = sorted(set(shards.values()))
        items = _newest_items(changes)
        entries = _newest_entries(changes)
        async with self.database.service() as connection:
            held = await connection.fetch(
                query("agent_state", "commit"),
                used,
                [self.epochs.get(shard, -1) for shard in used],
                *_item_columns(items, shards),
                *_entry_columns(entries, shards),
            )
        alive = {row["shard"] for row in held}
        if len(alive) == len(used):
            return {}
        return {
            index: StaleEpoch(f"another host took shard {shards[change.owner]}")
            for index, change in enumerate(changes)
            if shards[change.owner] not in alive
        }


def _address(owner: Owner) -> tuple[int, str]:
    return owner.namespace_id, owner.name


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


def _item_columns(changes: Sequence[PutItem], shards: dict[Owner, int]) -> tuple[list[Any], ...]:
    return (
        [shards[c.owner] for c in changes],
        [c.owner.namespace_id for c in changes],
        [c.owner.name for c in changes],
        [c.item.key for c in changes],
        [c.item.encoded for c in changes],
        [c.item.version for c in changes],
        [c.item.updated_at for c in changes],
        [c.item.expires_at for c in changes],
        [c.item.operation_id for c in changes],
    )


def _entry_columns(changes: Sequence[PutEntry], shards: dict[Owner, int]) -> tuple[list[Any], ...]:
    return (
        [shards[c.owner] for c in changes],
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
    )
