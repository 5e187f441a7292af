"""The embedder protocol: texts, hashing, any OpenAI-compatible endpoint, loading."""

import asyncio
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.embedding import (
    Embedder,
    EmbedderSpec,
    HashingEmbedder,
    check_texts,
    load_embedder,
)
from pinak_ray.embedding.openai import OpenAiEmbedder
from pinak_ray.records.errors import InvalidInput, SetupError, Unavailable

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


# ---------------------------------------------------------------- an endpoint

Answer = Callable[[dict[str, Any], int], Any]


class Endpoint:
    """A real server on loopback; `answer(body, call number)` decides what it says."""

    def __init__(self) -> None:
        self.answer: Answer = lambda body, call: vectors_for(body["input"])
        self.calls: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        app = FastAPI()
        app.post("/v1/embeddings")(self._embeddings)
        config = uvicorn.Config(app, log_level="error", lifespan="off")
        self.server = uvicorn.Server(config)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True
        )

    async def _embeddings(self, request: Request) -> Any:
        body = await request.json()
        self.calls.append(body)
        self.keys.append(request.headers.get("authorization"))
        answer = self.answer(body, len(self.calls))
        return await answer if asyncio.iscoroutine(answer) else answer

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)
        self.socket.close()


def vectors_for(texts: list[str]) -> dict[str, Any]:
    """Answer (length of the text, 1) for each text, in reverse order, as the format allows."""
    data = [{"index": i, "embedding": [float(len(text)), 1.0]} for i, text in enumerate(texts)]
    return {"object": "list", "data": data[::-1]}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Run an endpoint for the test."""
    started = Endpoint()
    started.thread.start()
    yield started
    started.stop()


@pytest.fixture
async def embedder(endpoint: Endpoint) -> AsyncIterator[OpenAiEmbedder]:
    """Give an embedder that asks the endpoint."""
    opened = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, timeout_s=5.0)
    yield opened
    await opened.aclose()


async def test_endpoint_vectors_keep_the_order_of_the_texts(
    endpoint: Endpoint, embedder: OpenAiEmbedder
) -> None:
    """Vectors follow their texts over all batches, whatever order the server answers in."""
    embedder._batch = 2

    vectors = await embedder.embed(["a", "bb", "ccc", "dddd", "eeeee"])

    np.testing.assert_allclose([1, 2, 3, 4, 5], vectors[:, 0] / vectors[:, 1], rtol=1e-5)
    assert [len(call["input"]) for call in endpoint.calls] == [2, 2, 1]
    assert endpoint.calls[0]["model"] == "tiny"


async def test_no_texts_need_no_call(endpoint: Endpoint, embedder: OpenAiEmbedder) -> None:
    """No texts give no vectors, and the endpoint is not asked."""
    assert (await embedder.embed([])).shape == (0, 2)
    assert endpoint.calls == []


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/embeddings"])
async def test_every_form_of_the_address_works(endpoint: Endpoint, path: str) -> None:
    """The server, its /v1 and the whole address all lead to the endpoint."""
    embedder = OpenAiEmbedder(endpoint.url + path, "tiny", dimension=2, timeout_s=5.0)

    assert (await embedder.embed(["a"])).shape == (1, 2)
    await embedder.aclose()


async def test_key_is_sent_only_when_given(endpoint: Endpoint, embedder: OpenAiEmbedder) -> None:
    """A key travels as a bearer token; without one there is no such header."""
    keyed = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, api_key="k-1", timeout_s=5.0)

    await embedder.embed(["a"])
    await keyed.embed(["a"])
    await keyed.aclose()

    assert endpoint.keys == [None, "Bearer k-1"]
    assert "k-1" not in repr(keyed)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_failure_is_retried(
    endpoint: Endpoint, embedder: OpenAiEmbedder, status: int
) -> None:
    """429 and 5xx are tried again, and the caller sees only the answer."""
    endpoint.answer = lambda body, call: (
        vectors_for(body["input"])
        if call == 3
        else JSONResponse({}, status, headers={"Retry-After": "0"})
    )

    assert (await embedder.embed(["a"])).shape == (1, 2)
    assert len(endpoint.calls) == 3


async def test_retries_end(endpoint: Endpoint, embedder: OpenAiEmbedder) -> None:
    """A failure that stays is `Unavailable` after four attempts."""
    endpoint.answer = lambda body, call: JSONResponse({}, 503, headers={"Retry-After": "0"})

    with pytest.raises(Unavailable, match="HTTP 503"):
        await embedder.embed(["a"])
    assert len(endpoint.calls) == 4


async def test_a_dead_endpoint_is_unavailable() -> None:
    """Nobody listening is `Unavailable`, not an error of the HTTP library."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    embedder = OpenAiEmbedder(url, "tiny", dimension=2, timeout_s=1.0, attempts=2)

    with pytest.raises(Unavailable, match="ConnectError"):
        await embedder.embed(["a"])
    await embedder.aclose()


async def test_a_slow_endpoint_is_unavailable(endpoint: Endpoint) -> None:
    """An answer that does not come within the timeout is `Unavailable`."""
    endpoint.answer = lambda body, call: asyncio.sleep(1.0, result={})
    embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, timeout_s=0.1, attempts=1)

    with pytest.raises(Unavailable, match="ReadTimeout"):
        await embedder.embed(["a"])
    await embedder.aclose()


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, InvalidInput), (413, InvalidInput), (401, SetupError), (404, SetupError)],
)
async def test_a_refusal_is_not_retried(
    endpoint: Endpoint, embedder: OpenAiEmbedder, status: int, error: type[Exception]
) -> None:
    """A refused text is the caller's fault, a refused call the operator's; both come at once."""
    endpoint.answer = lambda body, call: JSONResponse({"error": "no"}, status)

    with pytest.raises(error, match=f"HTTP {status}"):
        await embedder.embed(["a"])
    assert len(endpoint.calls) == 1


async def test_wrong_dimension_is_a_setup_error(endpoint: Endpoint) -> None:
    """An endpoint with another dimension is set up wrongly: no text is to blame."""
    embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=3, timeout_s=5.0)

    with pytest.raises(SetupError, match="2 numbers"):
        await embedder.embed(["a"])
    await embedder.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"index": 0, "embedding": [1.0, 2.0]}]},
        {"data": [{"index": i, "embedding": [1.0, 2.0]} for i in (0, 1, 2)]},
        {"data": [{"index": 0, "embedding": [1.0, 2.0]}] * 2},
        {"data": [{"index": i, "embedding": [0.0, 0.0]} for i in (0, 1)]},
        {"data": [{"index": i, "embedding": [None, 1.0]} for i in (0, 1)]},
        {"data": None},
        ["nothing"],
    ],
    ids=["too few", "too many", "twice the same", "zeros", "holes", "no data", "a list"],
)
async def test_nonsense_is_unavailable(
    endpoint: Endpoint, embedder: OpenAiEmbedder, answer: Any
) -> None:
    """A wrong count, zeros, holes or another format never become vectors."""
    endpoint.answer = lambda body, call: answer

    with pytest.raises(Unavailable):
        await embedder.embed(["a", "b"])


async def test_a_closed_embedder_says_so(endpoint: Endpoint) -> None:
    """After `aclose`, which may come twice, a call is `Unavailable`."""
    embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, timeout_s=5.0)
    await embedder.aclose()
    await embedder.aclose()

    with pytest.raises(Unavailable, match="closed"):
        await embedder.embed(["a"])
    assert "closed" in repr(embedder)


# ---------------------------------------------------------------- loading


async def test_a_spec_survives_pickling_and_loads() -> None:
    """A spec travels to another process and loads the embedder it describes."""
    spec = pickle.loads(pickle.dumps(EmbedderSpec(kind="hashing", dimension=16, api_key="k-1")))

    embedder: Embedder = load_embedder(spec)

    assert embedder.model.dimension == 16
    assert (await embedder.embed(["a"])).shape == (1, 16)
    assert "k-1" not in repr(spec)


async def test_openai_is_loaded_from_a_spec(endpoint: Endpoint) -> None:
    """A spec of kind openai gives an embedder that asks its url."""
    embedder = load_embedder(
        EmbedderSpec(kind="openai", url=endpoint.url, model="tiny", dimension=2)
    )

    assert (await embedder.embed(["a", "bb"])).shape == (2, 2)
    await embedder.aclose()


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
