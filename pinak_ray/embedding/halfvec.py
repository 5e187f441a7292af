"""pgvector's binary format of `halfvec`, encoded and decoded with numpy.

uint16 dimension | uint16 unused (0) | dimension x float16        all big-endian
"""

import struct

import numpy as np
import numpy.typing as npt

from pinak_ray.embedding.protocol import Vectors
from pinak_ray.records.errors import InvalidInput, WrongDimension

__all__ = [
    "LARGEST_STORED",
    "MAX_DIMENSION",
    "decode_halfvec",
    "decode_halfvecs",
    "encode_halfvec",
    "encode_halfvec_one",
    "halfvec_dimension",
]

MAX_DIMENSION = 16_000  # pgvector's own limit for a halfvec column
LARGEST_STORED = 4_000
"""Numbers of a vector that lies in its row's page, and that pgvector can index."""
_HEADER = struct.Struct(">HH")


def encode_halfvec(vectors: npt.NDArray[np.floating]) -> list[bytes]:
    """Encode (n, d) numbers as n binary halfvecs.

    Raises `WrongDimension` when d is not 1 to 16000, `InvalidInput` when a number does not fit into
    a float16 (NaN, Inf, beyond 65504) or a vector is all zeros in it.
    """
    count, dimension = vectors.shape
    if not 1 <= dimension <= MAX_DIMENSION:
        raise WrongDimension(f"a halfvec has 1 to {MAX_DIMENSION} numbers, not {dimension}")
    with np.errstate(over="ignore", under="ignore"):
        halves = np.ascontiguousarray(vectors, dtype=">f2")
    if not np.isfinite(halves).all():
        raise InvalidInput("a vector holds NaN, Inf or a number beyond 65504")
    if not halves.any(axis=1).all():
        raise InvalidInput("a vector is all zeros in half precision")
    width = _HEADER.size + 2 * dimension
    rows = np.empty((count, width), dtype=np.uint8)
    rows[:, : _HEADER.size] = np.frombuffer(_HEADER.pack(dimension, 0), dtype=np.uint8)
    rows[:, _HEADER.size :] = halves.view(np.uint8)
    data = rows.tobytes()
    return [data[start : start + width] for start in range(0, len(data), width)]


def encode_halfvec_one(vector: npt.NDArray[np.floating]) -> bytes:
    """Encode one (d,) vector; raise as `encode_halfvec`."""
    return encode_halfvec(vector[np.newaxis, :])[0]


def halfvec_dimension(data: bytes) -> int:
    """Return how many numbers a binary halfvec says it holds."""
    return int(_HEADER.unpack_from(data)[0])


def decode_halfvec(data: bytes) -> Vectors:
    """Decode one binary halfvec to (d,) float32; raise `InvalidInput` when it is not one."""
    if len(data) < _HEADER.size:
        raise InvalidInput(f"a halfvec has a header of {_HEADER.size} bytes, got {len(data)} bytes")
    dimension, unused = _HEADER.unpack_from(data)
    if unused != 0 or len(data) != _HEADER.size + 2 * dimension:
        raise InvalidInput(f"not a halfvec: {len(data)} bytes for {dimension} numbers")
    return np.frombuffer(data, dtype=">f2", offset=_HEADER.size).astype(np.float32)


def decode_halfvecs(data: bytes, count: int) -> Vectors:
    """Decode n binary halfvecs of one dimension d, one behind the other, to (n, d) float32.

    Raises `InvalidInput` when they are none, or of several dimensions.
    """
    words = np.frombuffer(data, dtype=">u2") if len(data) % 2 == 0 else np.empty(0, dtype=">u2")
    width = _HEADER.size // 2 + (int(words[0]) if len(words) else 0)
    if len(words) != count * width or (words[::width] != words[0]).any():
        raise InvalidInput("not halfvecs of one dimension")
    halves = words.view(">f2").reshape(count, width)
    return halves[:, _HEADER.size // 2 :].astype(np.float32)
