"""PostgreSQL's binary COPY format, read back by its specification."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.memory.memories import content_hash, new_memory
from pinak_ray.store.database import microseconds
from pinak_ray.store.memories.columns import COLUMNS
from pinak_ray.store.memories.copy_format import (
    NULL,
    encode_text_array,
    field,
    null_or_text,
    stream,
)
from pinak_ray.store.memories.memories import VECTOR_COLUMNS, encode_memory


def fields_of(row: bytes) -> Iterator[bytes | None]:
    """Yield a row's fields: a count, then for each its length (-1: null) and bytes."""
    (count,) = struct.unpack_from("!h", row)
    at = 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", row, at)
        at += 4
        yield None if length < 0 else row[at : at + length]
        at += max(length, 0)
    assert at == len(row)


def test_a_field_is_its_length_and_its_bytes() -> None:
    """Text counts in bytes, an empty text is no null."""
    assert field("ä".encode()) == b"\0\0\0\x02\xc3\xa4"
    assert null_or_text("") == b"\0\0\0\0"
    assert null_or_text(None) == NULL == b"\xff\xff\xff\xff"


@given(st.lists(st.text(max_size=10), max_size=5))
def test_an_array_reads_back(values: list[str]) -> None:
    """The array's length, dimensions, element type and elements follow the wire format."""
    encoded = encode_text_array(values)
    (length, dimensions, nulls, oid) = struct.unpack_from("!iiii", encoded)
    assert (len(encoded) - 4, min(len(values), 1), 0, 25) == (length, dimensions, nulls, oid)
    found = []
    at = 24
    for _ in range(struct.unpack_from("!i", encoded, 16)[0] if values else 0):
        (size,) = struct.unpack_from("!i", encoded, at)
        found.append(encoded[at + 4 : at + 4 + size].decode())
        at += 4 + size

    assert values == found


async def test_a_stream_has_signature_rows_and_trailer() -> None:
    """One piece: the signature, flags and extension length, every row, and -1."""
    pieces = [piece async for piece in stream([b"one", b"two"])]

    assert pieces == [b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"onetwo" + b"\xff\xff"]


def test_a_row_has_a_field_for_each_column() -> None:
    """Columns come in their order; what was not given is null, and the key reads back."""
    memory = new_memory(7, "ada", "x", details={"a": 1})
    encoded = encode_memory(memory)
    row = dict(zip(COLUMNS, fields_of(encoded.row), strict=True))

    assert row["id"] == memory.id.bytes
    assert (row["agent"], row["content"], row["details"]) == (b"ada", b"x", b'\x01{"a":1}')
    not_given = {"session", "outcome", "expires_at", "source", "written_by", "write_key", "says"}
    assert not_given == {name for name, value in row.items() if value is None}
    assert encoded.key == (7, memory.id)
    assert encoded.vector_row is None


def test_a_vector_needs_a_model() -> None:
    """A caller's vector becomes a second row, under the model's id; without one it cannot."""
    memory = new_memory(7, "ada", "x", vector=b"\0\x01\0\0\x3c\0")
    row = encode_memory(memory, model_id=3).vector_row

    assert row is not None
    fields = dict(zip(VECTOR_COLUMNS, fields_of(row), strict=True))
    assert fields["model_id"] == struct.pack("!i", 3)
    assert (fields["memory_id"], fields["embedding"]) == (memory.id.bytes, memory.vector)
    assert encode_memory(memory).vector_row is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_exact_to_the_microsecond(moment: datetime) -> None:
    """Every moment that Python knows has its binary timestamptz, before 2000 too."""
    epoch = datetime(2000, 1, 1, tzinfo=UTC)

    assert moment - epoch == timedelta(microseconds=microseconds(moment))


def test_equal_contents_share_a_hash() -> None:
    """The same bytes give the same 16, others give others."""
    assert content_hash(b"the build is slow") == content_hash(b"the build is slow")
    assert content_hash(b"the build is slow") != content_hash(b"the build is slower")
    assert len(content_hash(b"")) == 16


def test_the_largest_namespace_reads_back() -> None:
    """The key is read as the signed integer that it is."""
    memory = new_memory(2**31 - 1, "ada", "x")._replace(id=UUID(int=2**128 - 1))

    assert encode_memory(memory).key == (2**31 - 1, UUID(int=2**128 - 1))
