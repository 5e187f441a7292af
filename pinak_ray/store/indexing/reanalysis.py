"""Re-analysis: rows and windows whose terms an older analysis made are given those of this one.

A piece is one transaction, which finds its rows by an index on their analysis: a crash repeats
nothing and loses nothing, and the answers change row by row.
"""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

import asyncpg

from pinak_ray.language.analysis import ANALYSIS, terms
from pinak_ray.language.indexed_texts import (
    DENSE_REACH,
    LEXICAL_REACH,
    index_text,
    windows_of,
)
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.memories.lexemes import encode_lexemes, lexemes_of
from pinak_ray.store.queries import query

__all__ = ["reanalyse", "reanalyse_some", "to_reanalyse"]

# Some 30 ms of one core, for which their terms' counts are locked.
_ROWS_AT_ONCE = 100


async def reanalyse_some(database: Database) -> int:
    """Analyse the next rows, or the next windows where no rows are left; return how many."""
    async with database.service() as connection, connection.transaction():
        rows = await connection.fetch(query("reanalysis", "take"), _ROWS_AT_ONCE)
        if rows:
            await _recount(connection, rows)
            return len(rows)
        return await _rewrite_windows(connection)


async def reanalyse(
    connection: Connection, namespace_ids: Sequence[int], ids: Sequence[UUID]
) -> None:
    """Analyse those of these memories that are not, before their terms are counted."""
    rows = await connection.fetch(query("reanalysis", "take_indexed"), namespace_ids, ids)
    if rows:
        await connection.execute(query("reanalysis", "store"), *_analysed(rows), ANALYSIS)


async def to_reanalyse(database: Database) -> int:
    """Return how many rows and windows wait."""
    async with database.service() as connection:
        return int(await connection.fetchval(query("reanalysis", "left")))


def _analysed(rows: Sequence[asyncpg.Record]) -> tuple[list[int], list[UUID], list[bytes]]:
    lexemes = [lexemes_of(row["agent"], row["session"], row["content"]) for row in rows]
    return *_keys(rows), lexemes


def _keys(rows: Sequence[asyncpg.Record]) -> tuple[list[int], list[UUID]]:
    return [row["namespace_id"] for row in rows], [row["id"] for row in rows]


async def _recount(connection: Connection, rows: Sequence[asyncpg.Record]) -> None:
    given = _analysed(rows)
    for name in ("recount_terms", "recount_documents"):
        await connection.execute(query("reanalysis", name), *given)
    await connection.execute(query("expiry", "drop_unused_terms"), *given[:2])
    await connection.execute(query("reanalysis", "store"), *given, ANALYSIS)


async def _rewrite_windows(connection: Connection) -> int:
    """Give windows their terms, and owe the vectors of those whose text is another one now."""
    taken = await connection.fetch(query("reanalysis", "take_windows"), _ROWS_AT_ONCE)
    if not taken:
        return 0
    around = await connection.fetch(query("reanalysis", "around"), *_keys(taken), LEXICAL_REACH)
    lexemes: dict[tuple[int, UUID], bytes] = {}
    changed: list[tuple[int, UUID]] = []
    for key, entries in groupby(around, lambda row: (row["namespace_id"], row["id"])):
        near = list(entries)
        ids = [row["near_id"] for row in near]
        texts = [index_text(row["agent"], row["session"], row["content"]) for row in near]
        at = ids.index(key[1])
        window = list(windows_of(ids, texts))[at]
        lexemes[key] = encode_lexemes(terms(window.lexical))
        if window.dense != "\n".join(texts[max(0, at - DENSE_REACH) : at + DENSE_REACH + 1]):
            changed.append(key)
    columns = [key[0] for key in lexemes], [key[1] for key in lexemes]
    await connection.execute(
        query("reanalysis", "store_windows"), *columns, list(lexemes.values()), ANALYSIS
    )
    if changed:
        owed = [key[0] for key in changed], [key[1] for key in changed]
        await connection.execute(query("reanalysis", "drop_window_vectors"), *owed)
        await connection.execute(query("reanalysis", "owe_windows"), *owed)
    return len(taken)
