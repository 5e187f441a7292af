"""The embedder protocol: texts, hashing, any OpenAI-compatible endpoint, loading."""

import asyncio
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.embedding import (
    Embedder,
    EmbedderSpec,
    HashingEmbedder,
    check_texts,
    load_embedder,
)
from pinak_ray.records.errors import InvalidInput, SetupError

GOLDEN_HASH = [0.258198887, -0.258198887, 0.774596691, -0.516397774]

# ---------------------------------------------------------------- texts


@pytest.mark.parametrize("texts", [[""], ["a", " \n\t"], ["a", None], "text", ["\ud800"]])
def test_bad_texts_are_refused(texts: Any) -> None:
    """Empty texts, things that are no text, and broken Unicode are refused."""
    with pytest.raises(InvalidInput):
        check_texts(texts)


# ---------------------------------------------------------------- hashing


@given(
    st.lists(st.text(min_size=1).filter(lambda t: t.strip() != ""), max_size=5), st.integers(1, 64)
)
def test_hashing_is_deterministic_and_normalised(texts: list[str], dimension: int) -> None:
    """The same text has the same vector of length one in any batch and any dimension."""
    embedder = HashingEmbedder(dimension)

    vectors = asyncio.run(embedder.embed(texts))
    again = [asyncio.run(HashingEmbedder(dimension).embed([text]))[0] for text in texts]

    assert (len(texts), dimension) == vectors.shape
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(np.array(again).reshape(vectors.shape), vectors)


async def test_hashing_does_not_change_between_releases() -> None:
    """A stored hashing vector stays comparable: golden numbers hold the features and the hash."""
    vector = (await HashingEmbedder(4).embed(["deploy failed"]))[0]

    np.testing.assert_allclose(GOLDEN_HASH, vector, atol=1e-6)


async def test_hashing_finds_shared_words() -> None:
    """Texts that share words are closer than texts that do not."""
    vectors = await HashingEmbedder(384).embed(
        ["the deploy of orders failed", "orders deploy failed again", "cats sleep at noon"]
    )

    assert vectors[0] @ vectors[1] > 0.4 > 0.2 > vectors[0] @ vectors[2]


# ---------------------------------------------------------------- loading


async def test_a_spec_survives_pickling_and_loads() -> None:
    """A spec travels to another process and loads the embedder it describes."""
    spec = pickle.loads(pickle.dumps(EmbedderSpec(kind="hashing", dimension=16, api_key="k-1")))

    embedder: Embedder = load_embedder(spec)

    assert embedder.model.dimension == 16
    assert (await embedder.embed(["a"])).shape == (1, 16)
    assert "k-1" not in repr(spec)


@pytest.mark.parametrize(
    "spec",
    [
        EmbedderSpec(),
        EmbedderSpec(kind="openai", url="http://127.0.0.1:1", model="tiny"),
        EmbedderSpec(kind="openai", url="127.0.0.1:1", model="tiny", dimension=2),
        EmbedderSpec(kind="word2vec"),  # type: ignore[arg-type]
    ],
    ids=["no cache", "no dimension", "no scheme", "unknown"],
)
def test_an_incomplete_spec_is_refused(spec: EmbedderSpec) -> None:
    """A missing or unknown setting is a `SetupError` at once, not at the first text."""
    with pytest.raises(SetupError):
        load_embedder(spec)


def test_importing_loads_no_heavy_library() -> None:
    """The package never imports torch or the libraries that only the build needs."""
    heavy = "{'torch', 'onnx', 'safetensors', 'transformers'}"
    code = f"import sys, pinak_ray.embedding; sys.exit(str({heavy} & set(sys.modules)) != 'set()')"

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
