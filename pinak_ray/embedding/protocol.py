"""What every embedder promises, and the checks that hold texts and vectors to it at the border."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from pinak_ray.records.errors import InvalidInput, WrongDimension

__all__ = ["Embedder", "EmbeddingModel", "Vectors", "check_texts", "check_vector", "check_vectors"]

Vectors: TypeAlias = npt.NDArray[np.float32]

# Below this a vector has no direction left: float32 keeps about 7 digits, halfvec only 3.
MIN_NORM = 1e-12


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """The name of one vector space: vectors of two different models never compare."""

    name: str
    revision: str
    dimension: int
    metric: str = "cosine"


class Embedder(Protocol):
    """Turns texts into vectors of one model."""

    @property
    def model(self) -> EmbeddingModel:
        """The model whose space the vectors live in."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, in order: (n, dimension) float32, each of length one.

        Raises `InvalidInput` for an empty text and `Unavailable` where the model does not answer.
        """

    def knows(self, text: str) -> bool:
        """Tell whether the model knows most of a text's words, so that its vector means something.

        True where that cannot be known; asked for every candidate, so that it must cost little.
        """

    async def aclose(self) -> None:
        """Release what the embedder holds; a second call does nothing."""


def check_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts as a list, or raise `InvalidInput` with the first bad one's position."""
    if isinstance(texts, str):
        raise InvalidInput("texts must be a sequence of texts, not one text")
    checked = list(texts)
    for position, text in enumerate(checked):
        if not isinstance(text, str):
            raise InvalidInput(f"text {position} is a {type(text).__name__}, not a text")
        if not text.strip():
            raise InvalidInput(f"text {position} is empty")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"text {position} is not valid Unicode: {error.reason}") from error
    return checked


def check_vectors(vectors: npt.ArrayLike, *, count: int, dimension: int) -> Vectors:
    """Return `vectors` as (count, dimension) float32, each of length one.

    Raises `WrongDimension` for another vector length, `InvalidInput` for another number of vectors,
    a ragged or non-numeric array, NaN, Inf, and a vector of zeros (its cosine is undefined).
    """
    given = _array(vectors)
    if given.ndim != 2:
        raise InvalidInput(f"expected an array of {count} vectors, got shape {given.shape}")
    if len(given) != count:
        raise InvalidInput(f"expected {count} vectors, got {len(given)}")
    if given.shape[1] != dimension:
        raise WrongDimension(f"a vector has {given.shape[1]} numbers, the model has {dimension}")
    if given.dtype.kind not in "fiu":
        raise InvalidInput(f"a vector must hold numbers, not {given.dtype}")
    return _normalised(given)


def check_vector(vector: Sequence[float] | npt.NDArray[np.floating], *, dimension: int) -> Vectors:
    """Return one caller-given vector as (dimension,) float32 of length one.

    Raises `WrongDimension` and `InvalidInput` as `check_vectors` does.
    """
    row = _array(vector)[np.newaxis]
    return check_vectors(row, count=1, dimension=dimension).reshape(dimension)


def _array(given: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        return np.asarray(given)
    except (ValueError, TypeError) as error:
        raise InvalidInput("the rows of a vector array have different lengths") from error


def _normalised(given: npt.NDArray[np.number]) -> Vectors:
    """Scale each row to length one; in float64, because float32 overflows when 1e20 is squared."""
    wide = given.astype(np.float64)
    if not np.isfinite(wide).all():
        raise InvalidInput("a vector holds NaN or Inf")
    # Dividing by the largest number first keeps even 1e300 from overflowing in the square.
    largest = np.abs(wide).max(axis=1, keepdims=True, initial=0.0)
    if (largest < MIN_NORM).any():
        raise InvalidInput("a vector is all zeros: it has no direction to compare")
    wide /= largest
    wide /= np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    return wide.astype(np.float32)
