"""Two bits a number choose nearly the same as all of it."""

import numpy as np
import pytest

from pinak_ray.embedding import Sketches, Vectors

RNG = np.random.default_rng(4)


def units(vectors: Vectors) -> Vectors:
    """Return the vectors with length 1, as float32."""
    normed: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return normed


def clustered(count: int, dimension: int, offset: float = 0.0) -> Vectors:
    """Return vectors around 200 directions; `offset` is what all have in common."""
    centres = RNG.normal(size=(200, dimension)) + offset
    vectors = centres[RNG.integers(200, size=count)] + RNG.normal(size=(count, dimension))
    return units(vectors)


def share_found(vectors: Vectors, sketches: Sketches, count: int) -> float:
    """Return the share of the ten nearest of 50 questions that is among the `count` chosen."""
    found = 0
    for near in units(vectors[:50] + 0.05 * RNG.normal(size=vectors[:50].shape)):
        best = np.argsort(-(vectors @ near))[:10]
        found += len(set(best) & set(sketches.nearest(near, count)))
    return found / 500


@pytest.mark.parametrize("dimension", [64, 100, 384])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_the_nearest_are_chosen(dimension: int, offset: float) -> None:
    """Of 20,000 vectors 300 hold nearly all of the ten nearest, also where all point one way."""
    vectors = clustered(20_000, dimension, offset)
    assert share_found(vectors, Sketches.of(vectors), 300) > 0.98


def test_parts_are_the_whole() -> None:
    """What was sketched page by page is searched like what was sketched at once."""
    vectors = clustered(6_000, 96)
    first = Sketches.of(vectors[:2_500])
    parts = [first, Sketches.of(vectors[2_500:2_501], first), Sketches.of(vectors[2_501:], first)]
    joined = Sketches.joined(parts)
    whole = Sketches.of(vectors, first)
    assert len(joined) == len(whole) == 6_000
    assert joined.nbytes == 6_000 * (2 * 16 + 4)
    for near in vectors[:20]:
        assert set(joined.nearest(near, 50)) == set(whole.nearest(near, 50))
        assert len(whole.nearest(near, 50)) == 50


def test_only_those_among_are_chosen() -> None:
    """The nearest of a few are found, however many others are nearer."""
    vectors = clustered(6_000, 64)
    sketches = Sketches.of(vectors)
    among = np.zeros(6_000, dtype=np.bool_)
    among[5::600] = True
    for near in vectors[:20]:
        assert set(sketches.nearest(near, 300, among)) == set(np.flatnonzero(among))
        assert set(sketches.nearest(near, 3, among)) <= set(np.flatnonzero(among))
    assert len(sketches.nearest(vectors[0], 3, np.zeros(6_000, dtype=np.bool_))) == 0


def test_among_very_many_the_nearest_are_chosen() -> None:
    """Where those among are too many to rank, the nearest of them are still found."""
    vectors = clustered(50_000, 64)
    sketches = Sketches.of(vectors)
    among = np.arange(50_000) >= 5_000
    for near in vectors[5_000:5_020]:
        chosen = sketches.nearest(near, 300, among)
        assert chosen.min() >= 5_000
        assert np.argmax(vectors @ near) in chosen


def test_equal_vectors_do_not_crowd_out_time() -> None:
    """Of a hundred thousand equal vectors no more are ranked than of different ones."""
    vectors = np.concatenate([np.repeat(clustered(1, 64), 100_000, axis=0), clustered(50, 64)])
    sketches = Sketches.of(vectors)
    chosen = sketches.nearest(vectors[100_020], 300)
    assert len(chosen) == 300
    assert 100_020 in chosen
