"""PostgreSQL's binary COPY format, encoded once by whoever makes the row.

A row travels from client to Writer to socket as these bytes; the Writer never looks inside, which
is what lets one process commit tens of thousands of rows a second. Layout: the PostgreSQL manual,
"COPY", section "Binary Format".
"""

import struct
from collections.abc import AsyncIterator, Sequence

__all__ = ["EMPTY_ARRAY", "NULL", "encode_text_array", "field", "null_or_text", "stream"]

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)
_LENGTH = struct.Struct("!i")
_TEXT_OID = 25
EMPTY_ARRAY = struct.pack("!iiii", 12, 0, 0, _TEXT_OID)

NULL = _LENGTH.pack(-1)


def field(value: bytes) -> bytes:
    """Return one field: its length, then its bytes."""
    return _LENGTH.pack(len(value)) + value


def null_or_text(value: str | None) -> bytes:
    """Return one nullable text field."""
    return NULL if value is None else field(value.encode())


def encode_text_array(values: Sequence[str]) -> bytes:
    """Return one text[] field: dimensions, null flag, element type, then each element."""
    if not values:
        return EMPTY_ARRAY
    body = struct.pack("!iiiii", 1, 0, _TEXT_OID, len(values), 1)
    return field(body + b"".join(field(value.encode()) for value in values))


async def stream(rows: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Yield a whole COPY of these encoded rows, in one piece: one send instead of one a row."""
    yield b"".join((_HEADER, *rows, _TRAILER))
