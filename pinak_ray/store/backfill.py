"""Back-fill: the vectors that a kept model lacks, found by a sweep, embedded piece by piece."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import asyncpg

from pinak_ray.store.database import Connection, Database
from pinak_ray.store.faults import is_transient
from pinak_ray.store.indexing import EncodeVectors, Key
from pinak_ray.store.memories import encode_vector, index_text, store_vectors
from pinak_ray.store.queries import query
from pinak_ray.store.windows import DENSE_REACH, WINDOW

__all__ = [
    "Backfilled",
    "Coverage",
    "backfill_some",
    "begin_backfill",
    "coverage_of",
    "models_owing",
    "note_error",
    "sweep_some",
]

# Looked at in one step of the sweep: some 10 ms, at which a crash loses nothing.
_KEYS_AT_ONCE = 2000
# Texts embedded in one transaction, by how often it failed: at the end the bad one stands alone.
_PIECES = (32, 8, 2, 1)
_SET_ASIDE = len(_PIECES)
# The sweep waits while so many pieces are owed, so that the queue stays short.
_ROWS_OWED = 64
# What is younger is on its way, as any new memory is.
_ON_ITS_WAY_S = 10.0
_START = (0, UUID(int=0))


class Backfilled(NamedTuple):
    """What one call of `backfill_some` did: these memories have the model's vectors of a kind."""

    model_id: int
    kind: int
    keys: frozenset[Key]


class Coverage(NamedTuple):
    """How far a model is: of `wanted` vectors (own and windows) it lacks `missing`.

    `is_behind` until its sweep has ended and all but what was stored just now is embedded;
    `set_aside` memories failed alone; `per_s` is the rate since the back-fill began.
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
        sweep = await connection.fetchrow(query("backfill", "take_sweep"), _ROWS_OWED, _SET_ASIDE)
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


async def _owe(
    connection: Connection, model_id: int, kind: int, keys: Sequence[Key], *, attempts: int = 0
) -> None:
    pieces = [keys[start : start + _PIECES[0]] for start in range(0, len(keys), _PIECES[0])]
    await connection.executemany(
        query("backfill", "owe"),
        [
            (model_id, kind, [key[0] for key in piece], [key[1] for key in piece], attempts)
            for piece in pieces
        ],
    )


async def models_owing(database: Database) -> frozenset[int]:
    """Return the ids of the models that owe vectors."""
    async with database.service() as connection:
        rows = await connection.fetch(query("backfill", "models_owing"), _SET_ASIDE)
    return frozenset(row["model_id"] for row in rows)


async def backfill_some(
    database: Database, model_id: int, encode: EncodeVectors
) -> Backfilled | None:
    """Embed one piece of what a model owes; None when it owes nothing.

    Rows are taken with SKIP LOCKED and trimmed in the transaction that stores the vectors. A piece
    that fails for a reason that will not pass is tried smaller, down to the one memory at fault,
    which is set aside.
    """
    taken: asyncpg.Record | None = None
    try:
        async with database.service() as connection, connection.transaction():
            taken = await connection.fetchrow(query("backfill", "take"), model_id, _SET_ASIDE)
            return None if taken is None else await _embed(connection, taken, encode)
    except Exception as error:
        if taken is not None and not is_transient(error):
            await _blame(database, taken)
        raise


async def _embed(
    connection: Connection, taken: asyncpg.Record, encode: EncodeVectors
) -> Backfilled:
    model_id, kind = taken["model_id"], taken["kind"]
    piece = _keys_of(taken)
    texts = await (_window_texts if kind == WINDOW else _own_texts)(connection, piece, model_id)
    vectors = await encode(list(texts.values()))
    rows = await connection.fetch(query("backfill", "still_there"), *_columns(list(texts)))
    there = {(row["namespace_id"], row["id"]) for row in rows}
    await store_vectors(
        connection,
        [
            encode_vector(key[0], model_id, kind, key[1].bytes, vector)
            for key, vector in zip(texts, vectors, strict=True)
            if key in there
        ],
    )
    await _trim(connection, taken["id"], len(piece))
    await connection.execute(query("backfill", "progressed"), model_id, len(there))
    return Backfilled(model_id, kind, frozenset(piece))


async def _own_texts(connection: Connection, keys: Sequence[Key], model_id: int) -> dict[Key, str]:
    rows = await connection.fetch(query("indexing", "texts"), *_columns(keys), model_id)
    return {
        (row["namespace_id"], row["id"]): index_text(row["agent"], row["session"], row["content"])
        for row in rows
    }


async def _window_texts(
    connection: Connection, keys: Sequence[Key], model_id: int
) -> dict[Key, str]:
    rows = await connection.fetch(
        query("backfill", "window_texts"), *_columns(keys), model_id, DENSE_REACH
    )
    return {
        key: "\n".join(index_text(row["agent"], row["session"], row["content"]) for row in around)
        for key, around in groupby(rows, lambda row: (row["namespace_id"], row["id"]))
    }


async def _blame(database: Database, taken: asyncpg.Record) -> None:
    async with database.service() as connection, connection.transaction():
        if taken["attempts"] + 1 < _SET_ASIDE:
            await connection.execute(query("backfill", "blame"), taken["id"])
            return
        alone = _keys_of(taken)
        await _owe(connection, taken["model_id"], taken["kind"], alone, attempts=_SET_ASIDE)
        await _trim(connection, taken["id"], len(alone))


async def note_error(database: Database, model_id: int, error: Exception) -> None:
    """Keep why a model gets no vectors now, for whoever asks how far it is."""
    async with database.service() as connection:
        await connection.execute(query("backfill", "note_error"), model_id, str(error)[:500])


async def coverage_of(connection: Connection, model_id: int) -> Coverage:
    """Return how far a model is; counts all memories."""
    row = await connection.fetchrow(
        query("backfill", "coverage"), model_id, _SET_ASIDE, _ON_ITS_WAY_S
    )
    assert row is not None
    return Coverage(**row)


async def _trim(connection: Connection, row_id: int, count: int) -> None:
    await connection.execute(query("backfill", "trim"), row_id, count)
    await connection.execute(query("backfill", "done"), row_id)


def _keys_of(taken: asyncpg.Record) -> list[Key]:
    """Return the memories of a row that are tried now."""
    size = _PIECES[taken["attempts"]]
    return list(zip(taken["namespace_ids"][:size], taken["memory_ids"][:size], strict=True))


def _columns(keys: Sequence[Key]) -> tuple[list[int], list[UUID]]:
    return [key[0] for key in keys], [key[1] for key in keys]
