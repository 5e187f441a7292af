"""The real default model: quality, batches, life cycle. It is built once into the user's cache."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pinak_ray.embedding import EmbedderSpec, ModelFiles, ensure_model, load_embedder
from pinak_ray.embedding.minilm.embedder import MAX_TOKENS, MiniLm
from pinak_ray.embedding.minilm.model import MINILM
from pinak_ray.records.errors import InvalidInput, SetupError, Unavailable

CACHE = Path.home() / ".cache" / "pinak-ray" / "models"

# Cosines of the float32 model. Which int8 kernel runs is the processor's, and each rounds its own
# way: AVX2 without VNNI is off by .011 on average, .035 at p99 (47,000 pairs of 307 texts).
ROUNDING = 0.05
GOLDEN = [
    ("the deployment failed", "the rollout did not succeed", 0.406),
    ("how do I reset my password", "forgot the login credentials", 0.653),
    ("the deployment failed", "a recipe for apple pie", 0.066),
    ("migration 42 locks the orders table", "schema change blocks writes to orders", 0.412),
]


@pytest.fixture(scope="session")
def files() -> ModelFiles:
    """Build the model, or find it in the user's cache."""
    return ensure_model(MINILM, CACHE)


@pytest.fixture
async def minilm(files: ModelFiles) -> AsyncIterator[MiniLm]:
    """Give the embedder on one thread."""
    opened = MiniLm(files, threads=1)
    yield opened
    await opened.aclose()


async def test_vectors_have_the_promised_shape(minilm: MiniLm) -> None:
    """Vectors are (n, 384) float32 of length one, and the model is named."""
    vectors = await minilm.embed(["one", "two and a half", "three"])

    assert vectors.shape == (3, 384)
    assert np.float32 == vectors.dtype
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert (
        minilm.model.name,
        minilm.model.dimension,
        minilm.model.metric,
    ) == ("all-MiniLM-L6-v2", 384, "cosine")


@pytest.mark.parametrize(("one", "other", "cosine"), GOLDEN)
async def test_cosines_are_the_float_models(
    minilm: MiniLm, one: str, other: str, cosine: float
) -> None:
    """The int8 model says of two texts what the float32 model says, on any processor."""
    first, second = await minilm.embed([one, other])

    assert pytest.approx(cosine, abs=ROUNDING) == float(first @ second)


async def test_paraphrase_is_closer_than_unrelated(minilm: MiniLm) -> None:
    """Another wording of the same fact is nearer than another fact, with no word in common."""
    query, paraphrase, unrelated = await minilm.embed(
        ["the deployment failed", "our rollout did not succeed", "cats sleep at noon"]
    )

    assert query @ paraphrase > query @ unrelated + 0.2


async def test_a_text_alone_and_in_company_agree(minilm: MiniLm) -> None:
    """A vector depends on its text alone, never on what was embedded along with it."""
    texts = [f"step {n}: " + "the queue of the worker is full " * (n % 7) for n in range(70)]

    together = await minilm.embed(texts)
    alone = np.concatenate([await minilm.embed([text]) for text in texts])

    np.testing.assert_array_equal(together, alone)


async def test_more_workers_give_the_same_vectors(files: ModelFiles, minilm: MiniLm) -> None:
    """How many texts are computed at once changes nothing; not even for two lists at a time."""
    lists = [[f"{name} {n} " + "is full " * (n % 9) for n in range(90)] for name in ("a", "b")]
    both = MiniLm(files, threads=1, workers=2)

    at_once = await asyncio.gather(*(both.embed(texts) for texts in lists))
    await both.aclose()

    for texts, vectors in zip(lists, at_once, strict=True):
        np.testing.assert_array_equal(await minilm.embed(texts), vectors)


async def test_only_the_first_tokens_count(minilm: MiniLm) -> None:
    """A long text is cut at 256 tokens; what follows changes nothing, even a megabyte."""
    start = "queue " * MAX_TOKENS

    long, longer = await minilm.embed([start + "apple pie", start + "unrelated words " * 100_000])

    np.testing.assert_allclose(long, longer, atol=1e-6)
    assert len(minilm._tokens(start)) == MAX_TOKENS


@pytest.mark.parametrize("texts", [[""], ["fine", "  "]])
async def test_empty_text_is_refused(minilm: MiniLm, texts: list[str]) -> None:
    """An empty text is bad input, and nothing is embedded."""
    with pytest.raises(InvalidInput, match="empty"):
        await minilm.embed(texts)


async def test_no_texts_give_no_vectors(minilm: MiniLm) -> None:
    """No texts give an array of no rows."""
    assert (await minilm.embed([])).shape == (0, 384)


@pytest.mark.parametrize("text", ["🦜", "日本語のテキスト", "a\0b", "\u200b", "ﷺ" * 50, "x" * 5000])
async def test_odd_texts_have_a_vector(minilm: MiniLm, text: str) -> None:
    """Whatever is not empty has a finite vector of length one."""
    assert pytest.approx(1.0, abs=1e-5) == float(np.linalg.norm(await minilm.embed([text])))


async def test_the_event_loop_stays_free(minilm: MiniLm) -> None:
    """While a long list is embedded, other work goes on, and a query does not wait for its end."""
    order: list[str] = []

    async def embed(name: str, texts: list[str]) -> None:
        await minilm.embed(texts)
        order.append(name)

    long = asyncio.create_task(embed("long", ["a text of some words " * 8] * 200))
    await asyncio.sleep(0)  # it has begun
    await embed("query", ["short"])
    await long

    assert order == ["query", "long"]


async def test_a_closed_embedder_says_so(files: ModelFiles) -> None:
    """After `aclose`, which may come twice, a call is `Unavailable`."""
    embedder = MiniLm(files, threads=1)
    await embedder.aclose()
    await embedder.aclose()

    with pytest.raises(Unavailable, match="closed"):
        await embedder.embed(["a"])
    assert "closed" in repr(embedder)


def test_a_broken_graph_is_a_setup_error(files: ModelFiles, tmp_path: Path) -> None:
    """A file that is no graph gives an error that names it, not a crash of the runtime."""
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"no graph")

    with pytest.raises(SetupError, match=r"model\.onnx"):
        MiniLm(replace(files, onnx=broken), threads=1)


async def test_a_second_start_starts_no_program(
    files: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the model in the cache, loading calls neither pip nor the build."""

    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError(f"a program was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    embedder = load_embedder(EmbedderSpec(cache_dir=CACHE, threads=1))

    assert (await embedder.embed(["a"])).shape == (1, 384)
    await embedder.aclose()


@pytest.mark.usefixtures("files")
def test_embedding_loads_no_heavy_library() -> None:
    """A process that embeds has neither torch nor the build's libraries in memory."""
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from pinak_ray.embedding import EmbedderSpec, load_embedder\n"
        "embedder = load_embedder(EmbedderSpec(cache_dir=Path(sys.argv[1]), threads=1))\n"
        "asyncio.run(embedder.embed(['a', 'b c']))\n"
        "print(sorted({'torch', 'onnx', 'safetensors', 'transformers'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(CACHE)]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("the deployment failed", True),
        ("✅ deployed the orders service to production", True),
        ("Müller — “naïve” café", True),
        ("备份失败", False),
        ("🧨🧱", False),
        ("백업 실패", False),
        ("резервное копирование", False),
        ("deploy 订单 failed", False),
        ("k" * 300, False),
        ("the key " + "k" * 300 + " was leaked", True),
    ],
)
async def test_it_tells_which_words_it_knows(minilm: MiniLm, text: str, known: bool) -> None:
    """Most tokens of a text are English pieces, or its vector means nothing."""
    assert minilm.knows(text) is known
