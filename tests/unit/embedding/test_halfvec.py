"""What a vector must be at the border, and its wire format."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pinak_ray.embedding import (
    check_vector,
    check_vectors,
    decode_halfvec,
    decode_halfvecs,
    encode_halfvec,
    encode_halfvec_one,
)
from pinak_ray.records.errors import InvalidInput, WrongDimension

HALVES = arrays.arrays(
    np.float16,
    st.tuples(st.integers(0, 5), st.integers(1, 64)),
    elements=st.floats(-65504, 65504, width=16, allow_nan=False, allow_infinity=False),
).filter(lambda halves: bool(halves.any(axis=1).all()))


def test_layout_is_pgvectors() -> None:
    """One vector is dimension, a zero and the numbers, all big-endian."""
    assert struct.pack(">HHeee", 3, 0, 1.0, -2.0, 0.5) == encode_halfvec_one(
        np.array([1.0, -2.0, 0.5], dtype=np.float32)
    )


def test_layout_matches_the_pgvector_package() -> None:
    """The pgvector package reads and writes the same bytes."""
    HalfVector = pytest.importorskip("pgvector").HalfVector  # noqa: N806 - a class
    vector = np.random.default_rng(1).normal(size=384).astype(np.float32)

    encoded = encode_halfvec_one(vector)

    assert HalfVector(vector.astype(">f2")).to_binary() == encoded
    assert HalfVector.from_binary(encoded).to_list() == decode_halfvec(encoded).tolist()


@given(HALVES)
def test_round_trip_is_exact(halves: np.ndarray) -> None:
    """What fits into half precision comes back bit for bit, one encoding a row."""
    encoded = encode_halfvec(halves.astype(np.float32))

    assert len(halves) == len(encoded)
    for row, data in zip(halves, encoded, strict=True):
        np.testing.assert_array_equal(row.astype(np.float32), decode_halfvec(data))


@given(HALVES.filter(len))
def test_one_is_the_same_as_many(halves: np.ndarray) -> None:
    """Encoding a vector alone gives the bytes that it has in a batch."""
    vectors = halves.astype(np.float32)

    assert [encode_halfvec_one(row) for row in vectors] == encode_halfvec(vectors)


def test_a_view_is_encoded_by_its_values() -> None:
    """A transposed or strided array is encoded by what it shows, not by its memory."""
    vectors = np.arange(1, 13, dtype=np.float32).reshape(3, 4)

    assert encode_halfvec(vectors.T.copy()) == encode_halfvec(vectors.T)
    assert encode_halfvec(vectors[:, ::2].copy()) == encode_halfvec(vectors[:, ::2])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 65520.0, 1e30])
def test_what_half_precision_cannot_hold_is_refused(bad: float) -> None:
    """NaN, Inf and numbers beyond 65504 never reach the database."""
    with pytest.raises(InvalidInput, match="65504"):
        encode_halfvec(np.array([[1.0, bad]]))


@pytest.mark.parametrize("tiny", [0.0, 1e-9])
def test_all_zeros_is_refused(tiny: float) -> None:
    """A vector that is zero, or becomes zero by rounding, has no direction and is refused."""
    with pytest.raises(InvalidInput, match="zeros"):
        encode_halfvec(np.array([[1.0, 0.0], [tiny, tiny]]))


@pytest.mark.parametrize("dimension", [0, 16_001])
def test_dimension_outside_pgvectors_limits_is_refused(dimension: int) -> None:
    """A halfvec has 1 to 16000 numbers."""
    with pytest.raises(WrongDimension, match="16000"):
        encode_halfvec(np.ones((1, dimension), dtype=np.float32))


@given(HALVES.filter(len))
def test_many_are_decoded_as_one_by_one(halves: np.ndarray) -> None:
    """A page of vectors, one behind the other, is the vectors of the page."""
    encoded = encode_halfvec(halves.astype(np.float32))

    decoded = decode_halfvecs(b"".join(encoded), len(encoded))
    np.testing.assert_array_equal(decoded, [decode_halfvec(data) for data in encoded])


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1\0\0", b"\0\1\0\0\0\0\0\2\0\0"])
def test_a_page_of_other_bytes_is_refused(data: bytes) -> None:
    """Nothing, half a vector, and vectors of two lengths give an error."""
    with pytest.raises(InvalidInput):
        decode_halfvecs(data, 2)


@pytest.mark.parametrize("data", [b"", b"\0\1", b"\0\1\0\0", b"\0\1\0\1\0\0", b"\0\1\0\0\0\0\0"])
def test_broken_bytes_are_refused(data: bytes) -> None:
    """Bytes that are no halfvec give an error, never another vector."""
    with pytest.raises(InvalidInput):
        decode_halfvec(data)


# ---------------------------------------------------------------- the border


def test_vectors_come_back_with_length_one() -> None:
    """Accepted vectors are float32 and scaled to length one."""
    checked = check_vectors([[3.0, 4.0], [0.0, -2.0]], count=2, dimension=2)

    np.testing.assert_allclose([[0.6, 0.8], [0.0, -1.0]], checked, rtol=1e-6)
    assert np.float32 == checked.dtype


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_are_refused(bad: float) -> None:
    """One number that is none spoils the vector, and it is refused."""
    with pytest.raises(InvalidInput, match="NaN or Inf"):
        check_vectors([[1.0, 2.0], [1.0, bad]], count=2, dimension=2)


def test_zero_vector_is_refused() -> None:
    """A vector of zeros is refused: a failed embedding is never stored as zeros."""
    with pytest.raises(InvalidInput, match="zeros"):
        check_vectors([[1.0, 2.0], [0.0, 0.0]], count=2, dimension=2)


def test_wrong_dimension_names_both() -> None:
    """Another length than the model's gives an error that names both lengths."""
    with pytest.raises(WrongDimension, match=r"3 numbers.*2"):
        check_vectors([[1.0, 2.0, 3.0]], count=1, dimension=2)


@pytest.mark.parametrize(
    "vectors",
    [[[1.0, 2.0]], [1.0, 2.0], [[1.0], [1.0, 2.0]], [["1", "2"], ["3", "4"]], [[None, 1], [1, 1]]],
)
def test_wrong_shapes_and_types_are_refused(vectors: Any) -> None:
    """Too few rows, a flat list, ragged rows, texts and holes are all refused."""
    with pytest.raises(InvalidInput):
        check_vectors(vectors, count=2, dimension=2)


@pytest.mark.parametrize("vector", [[], [1.0], [1.0, [2.0]], [[1.0, 2.0]], "ab", [True, False]])
def test_one_bad_vector_is_refused(vector: Any) -> None:
    """A caller's vector passes the same checks as a model's."""
    with pytest.raises(InvalidInput):
        check_vector(vector, dimension=2)


@given(
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20).filter(
        lambda v: max(map(abs, v)) > 1e-6
    )
)
def test_any_finite_vector_is_normalised(vector: list[float]) -> None:
    """However large its numbers, a finite vector comes back with length one."""
    checked = check_vector(vector, dimension=len(vector))

    assert pytest.approx(1.0, abs=1e-5) == float(np.linalg.norm(checked))
