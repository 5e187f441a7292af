"""Windows: what was said around a memory of a session, indexed once, when it has settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

import asyncpg

from pinak_ray.language.analysis import ANALYSIS, terms
from pinak_ray.language.indexed_texts import LEXICAL_REACH, Window, index_text, windows_of
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.indexing import hand_on
from pinak_ray.store.memories.lexemes import encode_lexemes
from pinak_ray.store.queries import query

__all__ = [
    "WINDOW",
    "drop_windows_around",
    "settle_words",
    "unsettled",
]

# Entries that came late have moved others away from what their window still holds.
_FORGETTING_REACH = 2 * LEXICAL_REACH
WINDOW = 1
"""The `kind` of a window's vector; 0 is the memory's own."""

# Words alone, some 50 ms: for so long a new entry of such a session waits.
_SESSIONS_AT_ONCE = 16
_ENTRIES_AT_ONCE = 32
# A back-fill's piece: its texts are embedded at a time.
_OWED_AT_ONCE = 32


@dataclass(slots=True)
class _Session:
    """One session with what was read of it: the entries before, then the new ones."""

    namespace_id: int
    name: str
    quiet: bool
    entries: Sequence[asyncpg.Record]

    @property
    def _before(self) -> int:
        return sum(not entry["is_new"] for entry in self.entries)

    @property
    def _is_cut(self) -> bool:
        return len(self.entries) - self._before == _ENTRIES_AT_ONCE

    @property
    def _settled_to(self) -> int:
        """The place behind the last entry that nothing more can be said around."""
        if self.quiet and not self._is_cut:
            return len(self.entries)
        return max(self._before, len(self.entries) - LEXICAL_REACH)

    def windows(self) -> list[Window]:
        """Return the windows to be written now."""
        texts = [index_text(e["agent"], e["session"], e["content"]) for e in self.entries]
        windows = list(windows_of([entry["id"] for entry in self.entries], texts))
        return [
            windows[at]
            for at in range(self._before, self._settled_to)
            if not self.entries[at]["has_window"]
        ]

    def rest(self) -> tuple[UUID, int] | None:
        """Return from which entry on windows are missing, and of how many; None for none."""
        left = len(self.entries) - self._settled_to
        if not left:
            return None
        # Behind the cut there are more than were read: the session stays due.
        return self.entries[self._settled_to]["id"], left + self._is_cut


async def settle_words(database: Database, *, model_id: int, quiet_s: float) -> int:
    """Write the words of windows that have settled, of a few sessions; return of how many entries.

    Their vectors are owed from then on, to the model that serves and to all others.

    An entry has settled when two later ones have come, or its session was quiet for `quiet_s`.
    Sessions are taken with SKIP LOCKED, so that Indexers share them.
    """
    async with database.service() as connection, connection.transaction():
        taken = await connection.fetch(
            query("indexing", "take_sessions"), LEXICAL_REACH, quiet_s, _SESSIONS_AT_ONCE
        )
        if not taken:
            return 0
        sessions = await _read(connection, taken)
        found = [(each.namespace_id, window) for each in sessions for window in each.windows()]
        await _store(connection, found, model_id=model_id)
        await _move_on(connection, sessions)
        return len(found)


async def drop_windows_around(
    connection: Connection, namespace_ids: Sequence[int], ids: Sequence[UUID]
) -> None:
    """Drop each window that may hold a word of these memories, and have them written anew.

    In the caller's transaction, after which the memories are over: the next windows leave them out.
    Waits for who is settling one of their sessions, for as long as that takes to embed.
    """
    reach = await connection.fetch(
        query("windows", "reopen_sessions"), namespace_ids, ids, _FORGETTING_REACH
    )
    columns = [
        [row[name] for row in reach] for name in ("namespace_id", "session", "first_id", "last_id")
    ]
    for name in ("hold_windows", "drop_windows"):
        await connection.execute(query("windows", name), *columns)


async def unsettled(database: Database) -> int:
    """Return how many entries wait for their window, about."""
    async with database.service() as connection:
        return int(await connection.fetchval(query("indexing", "unsettled")))


async def _read(connection: Connection, taken: Sequence[asyncpg.Record]) -> list[_Session]:
    rows = await connection.fetch(
        query("indexing", "session_entries"),
        [row["namespace_id"] for row in taken],
        [row["session"] for row in taken],
        [row["from_id"] for row in taken],
        LEXICAL_REACH,
        _ENTRIES_AT_ONCE,
    )
    entries = {number: list(group) for number, group in groupby(rows, lambda row: row["number"])}
    return [
        _Session(row["namespace_id"], row["session"], row["quiet"], entries.get(number, ()))
        for number, row in enumerate(taken, 1)
    ]


async def _store(
    connection: Connection, found: Sequence[tuple[int, Window]], *, model_id: int
) -> None:
    if not found:
        return
    columns = ([namespace_id for namespace_id, _ in found], [window.id for _, window in found])
    await connection.execute(
        query("indexing", "store_windows"),
        *columns,
        [encode_lexemes(terms(window.lexical)) for _, window in found],
        ANALYSIS,
    )
    for start in range(0, len(found), _OWED_AT_ONCE):
        piece = slice(start, start + _OWED_AT_ONCE)
        namespaces, ids = columns[0][piece], columns[1][piece]
        await connection.execute(query("backfill", "owe"), model_id, WINDOW, namespaces, ids)
        await hand_on(connection, model_id, WINDOW, namespaces, ids)


async def _move_on(connection: Connection, sessions: Sequence[_Session]) -> None:
    found = [(each, each.rest()) for each in sessions]
    rests = [(each, rest) for each, rest in found if rest is not None]
    settled = [each for each, rest in found if rest is None]
    await connection.execute(
        query("indexing", "sessions_go_on"),
        [each.namespace_id for each, _ in rests],
        [each.name for each, _ in rests],
        [from_id for _, (from_id, _) in rests],
        [pending for _, (_, pending) in rests],
    )
    await connection.execute(
        query("indexing", "sessions_are_settled"),
        [each.namespace_id for each in settled],
        [each.name for each in settled],
    )
