"""Memories: encode for COPY, commit a batch, and tell new rows from retried ones."""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from pinak_ray.concurrency.group_commit import Fates
from pinak_ray.language.analysis import ANALYSIS
from pinak_ray.records.errors import IdempotencyMismatch, Unavailable
from pinak_ray.records.memory.memories import Layer, Memory, content_hash
from pinak_ray.records.write_keys import WriteKey
from pinak_ray.store.database import SCHEMA, Connection, Database, microseconds
from pinak_ray.store.memories.columns import COLUMNS
from pinak_ray.store.memories.copy_format import (
    EMPTY_ARRAY,
    NULL,
    encode_text_array,
    field,
    null_or_text,
    stream,
)
from pinak_ray.store.memories.lexemes import lexemes_of
from pinak_ray.store.queries import query
from pinak_ray.store.standbys import await_standbys

__all__ = [
    "VECTOR_COLUMNS",
    "Duplicate",
    "EncodedMemory",
    "commit_memories",
    "encode_memory",
    "encode_vector",
    "merge_memories",
    "namespaces_of",
    "size_of",
    "store_vectors",
]

VECTOR_COLUMNS = ("namespace_id", "model_id", "kind", "memory_id", "embedding")

# Field count; length and value of namespace_id and of id; length of agent.
_START = struct.Struct("!hiii16si")
_SALIENCE_AND_TIMES = struct.Struct("!ifiqiq")
_MOMENT = struct.Struct("!iq")
_LENGTH = struct.Struct("!i")
_VECTOR_START = struct.Struct("!hiiiiihi")
_ID_AT = slice(14, 30)
_NAMESPACE_AT = slice(6, 10)
_MODEL_AT = slice(14, 18)


# What most rows have in common is encoded once: every writer pays this for each of its memories.
_LAYERS = {layer: field(layer.encode()) for layer in Layer}
_HASH_LENGTH = _LENGTH.pack(16)
_NO_KEY = NULL + NULL
_ANALYSIS = field(_LENGTH.pack(ANALYSIS))


def _details(encoded: bytes) -> bytes:
    return field(b"\x01" + encoded)  # the binary jsonb format starts with a version


_NO_DETAILS = _details(b"{}")


class EncodedMemory(NamedTuple):
    """One memory as a COPY row, and its vector's COPY row when the caller brought a vector."""

    row: bytes
    vector_row: bytes | None = None

    @property
    def key(self) -> tuple[int, UUID]:
        """The primary key, read back from the row."""
        namespace_id = int.from_bytes(self.row[_NAMESPACE_AT], signed=True)
        return namespace_id, UUID(bytes=self.row[_ID_AT])

    @property
    def model_id(self) -> int | None:
        """The model that its vector is said to be of; None where it has none."""
        if self.vector_row is None:
            return None
        return int.from_bytes(self.vector_row[_MODEL_AT], signed=True)


def namespaces_of(batch: Sequence[EncodedMemory]) -> list[bytes]:
    """Return the namespaces as they lie in the rows: every memory pays for this."""
    return [memory.row[_NAMESPACE_AT] for memory in batch]


def size_of(memory: EncodedMemory) -> int:
    """Return how many bytes it holds."""
    row, vector_row = memory
    return len(row) if vector_row is None else len(row) + len(vector_row)


class Duplicate(NamedTuple):
    """The fate of what was stored before, under this id: a retry, not an error."""

    id: UUID | None = None
    """None of what has no id of its own, as a link."""


def encode_memory(memory: Memory, *, model_id: int | None = None) -> EncodedMemory:
    """Encode for COPY; `model_id` names the model of a vector that the caller brought."""
    occurred_at = microseconds(memory.occurred_at)
    created_at = (
        occurred_at if memory.created_at is memory.occurred_at else microseconds(memory.created_at)
    )
    agent, content = memory.agent.encode(), memory.content.encode()
    row = b"".join((
        _START.pack(len(COLUMNS), 4, memory.namespace_id, 16, memory.id.bytes, len(agent)),
        agent,
        _LAYERS.get(memory.layer) or field(memory.layer.encode()),
        _LENGTH.pack(len(content)),
        content,
        NULL if memory.session is None else null_or_text(memory.session),
        _NO_DETAILS if memory.details == b"{}" else _details(memory.details),
        EMPTY_ARRAY if not memory.tags else encode_text_array(memory.tags),
        EMPTY_ARRAY if not memory.entities else encode_text_array(memory.entities),
        NULL if memory.outcome is None else null_or_text(memory.outcome),
        _SALIENCE_AND_TIMES.pack(4, memory.salience, 8, occurred_at, 8, created_at),
        NULL if memory.expires_at is None else _MOMENT.pack(8, microseconds(memory.expires_at)),
        NULL if memory.source is None else null_or_text(memory.source),
        NULL if memory.written_by is None else null_or_text(memory.written_by),
        _HASH_LENGTH,
        content_hash(content),
        field(lexemes_of(memory.agent, memory.session, memory.content)),
        _ANALYSIS,
        _NO_KEY if memory.write_key is None else _key(memory.write_key),
    ))  # fmt: skip
    if memory.vector is None or model_id is None:
        return EncodedMemory(row)
    return EncodedMemory(
        row, encode_vector(memory.namespace_id, model_id, 0, memory.id.bytes, memory.vector)
    )


def _key(key: WriteKey) -> bytes:
    return field(key.id.bytes) + field(key.says)


def encode_vector(
    namespace_id: int, model_id: int, kind: int, memory_id: bytes, embedding: bytes
) -> bytes:
    """Encode one row of memory_vectors for COPY; `embedding` is in binary halfvec form."""
    start = _VECTOR_START.pack(len(VECTOR_COLUMNS), 4, namespace_id, 4, model_id, 2, kind, 16)
    return b"".join((start, memory_id, field(embedding)))


async def commit_memories(database: Database, batch: Sequence[EncodedMemory]) -> Fates[Duplicate]:
    """Store a batch in one transaction; the fate of what was stored before is Duplicate, that of
    another memory under a key that is taken IdempotencyMismatch.

    The first try is a bare COPY: retries are rare, and ON CONFLICT would cost every batch a detour
    over a staging table. When an id or a key is there already, when an id was forgotten a moment
    ago, or row-level security forbids this role to COPY, the batch takes that detour.
    """
    async with database.service() as connection:
        try:
            await _copy_all(connection, batch)
            return {}
        except (asyncpg.UniqueViolationError, asyncpg.FeatureNotSupportedError):
            pass
        return await merge_memories(connection, batch)


async def _copy_all(connection: Connection, batch: Sequence[EncodedMemory]) -> None:
    rows = [m.row for m in batch]
    if all(m.vector_row is None for m in batch):
        # One COPY is its own transaction: no round trips for BEGIN and COMMIT.
        await _copy(connection, "memories", COLUMNS, rows)
        return
    async with connection.transaction():
        await _copy(connection, "memories", COLUMNS, rows)
        vectors = [m.vector_row for m in batch if m.vector_row is not None]
        await _copy(connection, "memory_vectors", VECTOR_COLUMNS, vectors)


async def merge_memories(
    connection: Connection, batch: Sequence[EncodedMemory]
) -> Fates[Duplicate]:
    """Store a batch over a staging table; the fates are those of `commit_memories`."""
    async with connection.transaction():
        await connection.execute(query("memories", "make_staging"))
        await _copy_staged(connection, "staged_memories", COLUMNS, [m.row for m in batch])
        await connection.execute(query("memories", "free_keys"))
        rows = await connection.fetch(query("memories", "insert_staged"))
        stored = {(row["namespace_id"], row["id"]) for row in rows}
        fates: dict[int, Duplicate | Exception] = {}
        fresh: list[EncodedMemory] = []
        for index, encoded in enumerate(batch):
            if encoded.key in stored:
                stored.discard(encoded.key)  # the same id twice in one batch: the first is new
                fresh.append(encoded)
            else:
                fates[index] = Duplicate(encoded.key[1])
        await store_vectors(connection, [m.vector_row for m in fresh if m.vector_row is not None])
        if fates:
            held = await connection.fetch(query("memories", "holders_of_staged"))
            _tell_keys(batch, fates, {(row["namespace_id"], row["id"]): row for row in held})
            await await_standbys(connection)
        return fates


def _tell_keys(
    batch: Sequence[EncodedMemory],
    fates: dict[int, Duplicate | Exception],
    held: Mapping[tuple[int, UUID], asyncpg.Record],
) -> None:
    """Say of each keyed memory that was not stored what its key stands for."""
    for index in fates:
        row = held.get(batch[index].key)
        if row is None:
            continue
        if row["holder"] is None:
            fates[index] = Unavailable("what this key stood for ended just now; try again")
        elif row["is_same"]:
            fates[index] = Duplicate(row["holder"])
        else:
            fates[index] = IdempotencyMismatch()


async def store_vectors(connection: Connection, rows: Sequence[bytes]) -> None:
    """Store encoded rows of memory_vectors inside the caller's transaction."""
    if not rows:
        return
    if not await connection.fetchval(query("memories", "must_stage")):
        await _copy(connection, "memory_vectors", VECTOR_COLUMNS, rows)
        return
    # A failed COPY would end the transaction, so it is asked first and not tried.
    await connection.execute(query("memories", "make_staged_vectors"))
    await _copy_staged(connection, "staged_vectors", VECTOR_COLUMNS, rows)
    await connection.execute(query("memories", "insert_staged_vectors"))


async def _copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[bytes]
) -> None:
    await connection.copy_to_table(
        table, schema_name=SCHEMA, source=stream(rows), columns=columns, format="binary"
    )


async def _copy_staged(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[bytes]
) -> None:
    await connection.copy_to_table(
        table, schema_name="pg_temp", source=stream(rows), columns=columns, format="binary"
    )
