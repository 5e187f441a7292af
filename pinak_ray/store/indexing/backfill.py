"""Back-fill: the vectors that a kept model lacks, found by a sweep, embedded piece by piece."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from pinak_ray.language.indexed_texts import DENSE_REACH, dense_window, index_text
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.holding import HELD_FOR, held
from pinak_ray.store.indexing.indexing import EncodeVectors, Key, set_aside
from pinak_ray.store.indexing.windows import WINDOW
from pinak_ray.store.memories.memories import encode_vector, store_vectors
from pinak_ray.store.queries import query

__all__ = [
    "Backfilled",
    "Coverage",
    "backfill_some",
    "begin_backfill",
    "coverage_of",
    "models_owing",
    "note_error",
    "refusals",
    "retry_refused",
    "sweep_some",
]

# Looked at in one step of the sweep: some 10 ms, at which a crash loses nothing.
_KEYS_AT_ONCE = 2000
# Texts that are embedded at a time.
_PIECE = 32
# The sweep waits while so many pieces are owed, so that the queue stays short.
_ROWS_OWED = 64
# What is younger is on its way, as any new memory is.
_ON_ITS_WAY_S = 10.0
_START = (0, UUID(int=0))


class Backfilled(NamedTuple):
    """What one call of `backfill_some` did: these memories have the model's vectors of a kind.

    And why the texts of others were refused.
    """

    model_id: int
    kind: int
    keys: frozenset[Key]
    refused: Mapping[Key, str] = MappingProxyType({})


class Coverage(NamedTuple):
    """How far a model is: of `wanted` vectors (own and windows) it lacks `missing`.

    `is_behind` until its sweep has ended and all but what was stored just now is embedded;
    `set_aside` texts were refused; `per_s` is the rate since the back-fill began.
    """

    wanted: int
    missing: int
    set_aside: int
    is_behind: bool
    per_s: float
    error: str | None

    @property
    def share(self) -> float:
        """From 0 to 1; never 1 while something is missing."""
        return 1.0 if not self.missing else (self.wanted - self.missing) / self.wanted


async def begin_backfill(connection: Connection, model_id: int) -> None:
    """Have the Indexers look for what this model lacks, from the start."""
    await connection.execute(query("backfill", "begin"), model_id)


async def sweep_some(database: Database) -> bool:
    """Look at the next keys for one model, and queue those without its vector.

    Returns False when no sweep is due.
    The place is kept in the transaction that queues, so a crash repeats nothing; SKIP LOCKED keeps
    two Indexers from one sweep.
    """
    async with database.service() as connection, connection.transaction():
        sweep = await connection.fetchrow(query("backfill", "take_sweep"), _ROWS_OWED)
        if sweep is None:
            return False
        model_id, kind = sweep["model_id"], sweep["kind"]
        if sweep["starts_after"] is None:
            await connection.execute(query("backfill", "sweep_waits"), model_id)
            return True
        look = "look_at_windows" if kind == WINDOW else "look_at_memories"
        after = (sweep["after_namespace"], sweep["after_memory"])
        rows = await connection.fetch(query("backfill", look), model_id, *after, _KEYS_AT_ONCE)
        missing = [(row["namespace_id"], row["id"]) for row in rows if row["is_missing"]]
        await _owe(connection, model_id, kind, missing)
        place = (kind, rows[-1]["namespace_id"], rows[-1]["id"]) if rows else (WINDOW, *_START)
        is_over = not rows and kind == WINDOW
        await connection.execute(query("backfill", "sweep_goes_on"), model_id, *place, is_over)
        return True


async def _owe(connection: Connection, model_id: int, kind: int, keys: Sequence[Key]) -> None:
    pieces = [keys[start : start + _PIECE] for start in range(0, len(keys), _PIECE)]
    await connection.executemany(
        query("backfill", "owe"), [(model_id, kind, *_columns(piece)) for piece in pieces]
    )


async def models_owing(database: Database) -> frozenset[int]:
    """Return the ids of the models that owe vectors."""
    async with database.service() as connection:
        rows = await connection.fetch(query("backfill", "models_owing"))
    return frozenset(row["model_id"] for row in rows)


async def backfill_some(
    database: Database, model_id: int, encode: EncodeVectors
) -> Backfilled | None:
    """Embed one piece of what a model owes; None when it owes nothing.

    The row is kept from others while its texts are embedded, in no transaction, and leaves in the
    one that stores the vectors. A text that is refused is set aside, and no other with it.
    """
    async with database.service() as connection:
        taken = await connection.fetchrow(query("backfill", "take"), model_id, HELD_FOR)
    if taken is None:
        return None
    try:
        async with held(database, "backfill", [taken["id"]]):
            async with database.service() as connection:
                texts = await _texts(connection, taken)
            found = dict(zip(texts, await encode(list(texts.values())), strict=True))
        async with database.service() as connection, connection.transaction():
            return await _store(connection, taken, texts, found)
    except Exception:
        async with database.service() as connection:
            await connection.execute(query("backfill", "let_go"), taken["id"])
        raise


async def _texts(connection: Connection, taken: asyncpg.Record) -> dict[Key, str]:
    read = _window_texts if taken["kind"] == WINDOW else _own_texts
    return await read(connection, _keys_of(taken), taken["model_id"])


async def _store(
    connection: Connection,
    taken: asyncpg.Record,
    texts: Mapping[Key, str],
    found: Mapping[Key, bytes | str],
) -> Backfilled:
    model_id, kind, keys = taken["model_id"], taken["kind"], _keys_of(taken)
    nothing = Backfilled(model_id, kind, frozenset())
    if not await connection.fetch(query("backfill", "still_owed"), taken["id"]):
        return nothing  # too late: another one did it
    there = "still_told" if kind == WINDOW else "still_there"
    rows = await connection.fetch(query("backfill", there), *_columns(keys))
    living = {(row["namespace_id"], row["id"]) for row in rows}
    if kind == WINDOW and texts != await _texts(connection, taken):
        # Somebody forgot what was told there: the windows are written anew, or are so already.
        await connection.execute(query("backfill", "let_go"), taken["id"])
        return nothing
    vectors = {key: found[key] for key in texts if key in living}
    await store_vectors(
        connection,
        [
            encode_vector(key[0], model_id, kind, key[1].bytes, vector)
            for key, vector in vectors.items()
            if isinstance(vector, bytes)
        ],
    )
    refused = {key: why for key, why in vectors.items() if isinstance(why, str)}
    await set_aside(connection, model_id, kind, refused, attempts=taken["attempts"])
    await connection.execute(query("backfill", "done"), taken["id"])
    await connection.execute(query("backfill", "progressed"), model_id, len(living))
    return Backfilled(model_id, kind, frozenset(keys) - refused.keys(), refused)


async def _own_texts(connection: Connection, keys: Sequence[Key], model_id: int) -> dict[Key, str]:
    rows = await connection.fetch(query("indexing", "texts"), *_columns(keys), model_id)
    return {(row["namespace_id"], row["id"]): _text(row) for row in rows}


def _text(row: asyncpg.Record) -> str:
    return index_text(row["agent"], row["session"], row["content"])


async def _window_texts(
    connection: Connection, keys: Sequence[Key], model_id: int
) -> dict[Key, str]:
    rows = await connection.fetch(
        query("backfill", "window_texts"), *_columns(keys), model_id, DENSE_REACH
    )
    return {
        key: dense_window([(_text(row), row["is_own"]) for row in around])
        for key, around in groupby(rows, lambda row: (row["namespace_id"], row["id"]))
    }


async def retry_refused(connection: Connection, model_id: int | None = None) -> int:
    """Have refused texts tried again now, of one model or of all; return how many."""
    done = await connection.execute(query("backfill", "retry"), model_id)
    return int(done.rpartition(" ")[2])


async def refusals(connection: Connection, *, limit: int = 10) -> list[dict[str, Any]]:
    """Return why memories have no vector and how many, the commonest reasons, as JSON holds it."""
    return [dict(row) for row in await connection.fetch(query("backfill", "refusals"), limit)]


async def note_error(database: Database, model_id: int, error: Exception) -> None:
    """Keep why a model gets no vectors now, for whoever asks how far it is."""
    async with database.service() as connection:
        await connection.execute(query("backfill", "note_error"), model_id, str(error)[:500])


async def coverage_of(connection: Connection, model_id: int) -> Coverage:
    """Return how far a model is; counts all memories."""
    row = await connection.fetchrow(query("backfill", "coverage"), model_id, _ON_ITS_WAY_S)
    assert row is not None
    return Coverage(**row)


def _keys_of(taken: asyncpg.Record) -> list[Key]:
    return list(zip(taken["namespace_ids"], taken["memory_ids"], strict=True))


def _columns(keys: Sequence[Key]) -> tuple[list[int], list[UUID]]:
    return [key[0] for key in keys], [key[1] for key in keys]
