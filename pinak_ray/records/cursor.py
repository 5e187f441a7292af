"""Cursors: where the next page of a recall begins, as text that callers only hand back.

A cursor is base64url of the next hit's offset, of the depth (the first page's k: how deep each
signal is searched), and of a digest over both and over all that shapes the ranking. So a cursor of
another query, or a damaged one, is told from a good one; it is no secret and no permission.
"""

import struct
from base64 import b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import NamedTuple

from pinak_ray.records.errors import InvalidInput

__all__ = ["Place", "cursor_at", "place_at", "verified"]

# 15 bytes are 20 characters without padding.
_FORM = struct.Struct(">IH9s")
# Beyond all that a namespace holds, and with a page within what the database counts in.
_MAX_OFFSET = 2_000_000_000


class Place(NamedTuple):
    """Where a page begins in the ranking: after `offset` hits, each signal searched to `depth`."""

    offset: int
    depth: int


def cursor_at(place: Place, shape: bytes) -> str:
    """Return the cursor of a place in the ranking that `shape` describes."""
    return urlsafe_b64encode(_FORM.pack(*place, _digest(place, shape))).decode()


def place_at(cursor: str) -> Place:
    """Return the place that a cursor holds; raises InvalidInput for what is no cursor."""
    return _unpacked(cursor)[0]


def verified(cursor: object, shape: bytes) -> str:
    """Return the cursor if it was made for this `shape`; raises InvalidInput."""
    place, digest = _unpacked(cursor)
    if digest != _digest(place, shape):
        raise InvalidInput(
            "the cursor is damaged or of another recall; only k and trace may change between pages"
        )
    return str(cursor)


def _unpacked(cursor: object) -> tuple[Place, bytes]:
    if not isinstance(cursor, str):
        raise InvalidInput(f"cursor must be a string, not {type(cursor).__name__}")
    try:
        offset, depth, digest = _FORM.unpack(b64decode(cursor, altchars=b"-_", validate=True))
    except (ValueError, struct.error):
        raise InvalidInput("this is no cursor; give the last result's, unchanged") from None
    if offset > _MAX_OFFSET:
        raise InvalidInput("this is no cursor; give the last result's, unchanged")
    return Place(offset, depth), digest


def _digest(place: Place, shape: bytes) -> bytes:
    return blake2b(struct.pack(">IH", *place) + shape, digest_size=9).digest()
