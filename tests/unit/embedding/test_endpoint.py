"""Any OpenAI-compatible endpoint: what it takes, what is a text's fault, and what is not."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.responses import JSONResponse

from pinak_ray.embedding import EmbedderSpec, EndpointOptions, load_embedder, with_dimension
from pinak_ray.embedding.endpoint.forms import SHORTENED
from pinak_ray.embedding.endpoint.openai import OpenAiEmbedder
from pinak_ray.records.errors import EmbedderUnavailable, InvalidInput, Unavailable
from tests.support.endpoint import Endpoint, vectors_for
from tests.support.waiting import until

SOON = EndpointOptions(timeout_s=5.0, query_timeout_s=5.0)


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
    opened = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, options=SOON)
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
    embedder = OpenAiEmbedder(endpoint.url + path, "tiny", dimension=2, options=SOON)

    assert (await embedder.embed(["a"])).shape == (1, 2)
    await embedder.aclose()


async def test_key_is_sent_only_when_given(endpoint: Endpoint, embedder: OpenAiEmbedder) -> None:
    """A key travels as a bearer token; without one there is no such header."""
    keyed = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, api_key="k-1", options=SOON)

    await embedder.embed(["a"])
    await keyed.embed(["a"])
    await keyed.aclose()

    assert endpoint.keys == [None, "Bearer k-1"]
    assert "k-1" not in repr(keyed)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_failure_is_retried(
    endpoint: Endpoint, embedder: OpenAiEmbedder, status: int
) -> None:
    """429 and 5xx are tried again, once, and the caller sees only the answer."""
    endpoint.answer = lambda body, call: (
        vectors_for(body["input"])
        if call == 2
        else JSONResponse({}, status, headers={"Retry-After": "0"})
    )

    assert (await embedder.embed(["a"])).shape == (1, 2)
    assert len(endpoint.calls) == 2


async def test_a_dead_endpoint_is_unavailable() -> None:
    """Nobody listening is `EmbedderUnavailable`, which names the address and the setting."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    embedder = OpenAiEmbedder(url, "tiny", dimension=2, options=SOON)

    with pytest.raises(EmbedderUnavailable, match=f"{url}.*PINAK_EMBEDDING_URL"):
        await embedder.embed(["a"])
    await embedder.aclose()


async def test_a_slow_endpoint_is_unavailable(endpoint: Endpoint) -> None:
    """No answer within the timeout of either side is `EmbedderUnavailable`."""
    endpoint.answer = lambda body, call: asyncio.sleep(1.0, result={})
    options = EndpointOptions(timeout_s=0.1, query_timeout_s=0.1)
    for verb in ("embed", "embed_queries", "embed_soon"):
        embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, options=options)
        with pytest.raises(EmbedderUnavailable, match=r"within 0\.1 s"):
            await getattr(embedder, verb)(["a"])
        await embedder.aclose()


async def test_while_it_is_down_one_probe_at_a_time_asks(
    endpoint: Endpoint, embedder: OpenAiEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers hear the cause at once; when the endpoint answers a probe, all is as before."""
    monkeypatch.setattr("pinak_ray.embedding.endpoint.breaker._FIRST_PAUSE_S", 0.05)
    endpoint.answer = lambda body, call: JSONResponse({"error": {"message": "busy"}}, 503)
    with pytest.raises(EmbedderUnavailable, match="HTTP 503 busy"):
        await embedder.embed(["a"])
    before = len([call for call in endpoint.calls if call["input"] == ["a"]])
    for _ in range(50):
        with pytest.raises(EmbedderUnavailable, match="HTTP 503 busy"):
            await embedder.embed_queries(["a"])
    assert before == len([call for call in endpoint.calls if call["input"] == ["a"]])

    endpoint.answer = lambda body, call: vectors_for(body["input"])
    await until(lambda: embedder.trouble is None, what="the probe was answered")
    assert (await embedder.embed_queries(["a"])).shape == (1, 2)


async def test_the_probe_waits_as_long_as_it_is_told(
    endpoint: Endpoint, embedder: OpenAiEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retry-After is kept to: the endpoint is left alone, whoever asks for a vector meanwhile."""
    monkeypatch.setattr("pinak_ray.embedding.endpoint.breaker._FIRST_PAUSE_S", 0.01)
    endpoint.answer = lambda body, call: JSONResponse({}, 429, headers={"Retry-After": "30"})
    for _ in range(5):
        with pytest.raises(EmbedderUnavailable, match="HTTP 429"):
            await embedder.embed(["a"])
        await asyncio.sleep(0.05)

    assert len(endpoint.calls) == 1


# ---------------------------------------------------------------- what a text is to blame for


def at_most(texts: int, status: int) -> Any:
    """Answer as an endpoint that takes so many texts a request."""
    return lambda body, call: (
        JSONResponse({"detail": "batch size"}, status)
        if len(body["input"]) > texts
        else vectors_for(body["input"])
    )


@pytest.mark.parametrize(("most", "status"), [(1, 422), (7, 400), (10, 413), (48, 500)])
async def test_how_many_texts_it_takes_is_found_and_remembered(
    endpoint: Endpoint, embedder: OpenAiEmbedder, most: int, status: int
) -> None:
    """No text is blamed, each gets its own vector, and later requests are small at once."""
    endpoint.answer = at_most(most, status)
    texts = ["x" * (1 + number % 50) for number in range(130)]
    first = await embedder.embed_each(texts)
    asked = len(endpoint.calls)
    second = await embedder.embed_each(texts)

    for done in (first, second):
        assert not done.refused
        lengths = done.vectors[:, 0] / done.vectors[:, 1]
        np.testing.assert_allclose(lengths, [len(text) for text in texts], rtol=1e-5)
    assert all(len(call["input"]) <= most for call in endpoint.calls[asked:])


@pytest.mark.parametrize("status", [400, 413, 422, 500])
async def test_one_bad_text_fails_alone(
    endpoint: Endpoint, embedder: OpenAiEmbedder, status: int
) -> None:
    """Its neighbours get their vectors, and the endpoint's words stand beside its position."""
    endpoint.answer = lambda body, call: (
        JSONResponse({"error": {"message": "the input is too long"}}, status)
        if any(len(text) > 1000 for text in body["input"])
        else vectors_for(body["input"])
    )
    texts = ["y" * 2000 if number in (3, 77) else f"text {number}" for number in range(100)]
    done = await embedder.embed_each(texts)
    again = await embedder.embed_each(["short"] * 64)

    assert done.refused.keys() == {3, 77}
    assert all(f"HTTP {status} the input is too long" in why for why in done.refused.values())
    kept = [number for number in range(100) if number not in done.refused]
    np.testing.assert_allclose(np.linalg.norm(done.vectors[kept], axis=1), 1.0, atol=1e-5)
    assert not again.refused
    with pytest.raises(InvalidInput, match=r"text 1: .*too long"):
        await embedder.embed(["short", "z" * 2000])


async def test_a_vector_without_direction_is_its_texts_fault(
    endpoint: Endpoint, embedder: OpenAiEmbedder
) -> None:
    """Zeros for one text among others leave the others alone."""

    def answer(body: Any, call: int) -> Any:
        found = vectors_for(body["input"])
        for item in found["data"]:
            if body["input"][item["index"]] == "???":
                item["embedding"] = [0.0, 0.0]
        return found

    endpoint.answer = answer
    assert (await embedder.embed_each(["a", "???", "b"])).refused.keys() == {1}


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429, 500, 503])
async def test_what_all_texts_meet_is_no_texts_fault(
    endpoint: Endpoint, embedder: OpenAiEmbedder, status: int
) -> None:
    """Where a plain text is refused too, the endpoint does not embed: found by a few requests."""
    endpoint.answer = lambda body, call: JSONResponse({"error": {"message": "no"}}, status)

    with pytest.raises(EmbedderUnavailable, match=f"HTTP {status} no"):
        await embedder.embed_each([f"text {number}" for number in range(64)])
    assert len(endpoint.calls) <= 3


async def test_a_key_is_not_in_the_words(endpoint: Endpoint) -> None:
    """An endpoint that repeats the key does not have it shown."""
    endpoint.answer = lambda body, call: JSONResponse(
        {"error": {"message": "Incorrect API key provided: k-secret.\nSee\x1b[2J the docs"}}, 401
    )
    keyed = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, api_key="k-secret", options=SOON)

    with pytest.raises(EmbedderUnavailable, match=r"HTTP 401 Incorrect.*API_KEY") as caught:
        await keyed.embed(["a"])
    await keyed.aclose()
    assert "k-secret" not in str(caught.value)
    assert str(caught.value).isprintable()


async def test_a_replaced_key_is_used_at_once(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key's file is read anew: who was locked out comes in again without a restart."""
    monkeypatch.setattr("pinak_ray.embedding.endpoint.breaker._FIRST_PAUSE_S", 0.05)
    place = tmp_path / "key"
    place.write_text("old\n")
    endpoint.answer = lambda body, call: (
        vectors_for(body["input"])
        if endpoint.keys[-1] == "Bearer new"
        else JSONResponse({"message": "revoked"}, 401)
    )
    embedder = OpenAiEmbedder(
        endpoint.url, "tiny", dimension=2, options=EndpointOptions(key_file=place)
    )
    with pytest.raises(EmbedderUnavailable, match="HTTP 401 revoked"):
        await embedder.embed(["a"])
    place.write_text("new\n")
    await until(lambda: embedder.trouble is None, what="the new key was tried")

    assert (await embedder.embed(["a"])).shape == (1, 2)
    place.unlink()
    with pytest.raises(EmbedderUnavailable, match="PINAK_EMBEDDING_API_KEY_FILE"):
        await embedder.embed(["a"])
    await embedder.aclose()


# ---------------------------------------------------------------- how it is asked


def numbers(native: int, *, knows_the_field: bool) -> Any:
    """Answer vectors of a native dimension, or of the one that is asked for."""

    def answer(body: Any, call: int) -> Any:
        wanted = body.get("dimensions", native) if knows_the_field else native
        data = [{"index": i, "embedding": [1.0] * wanted} for i in range(len(body["input"]))]
        return {"data": data}

    return answer


async def test_a_dimension_is_asked_for_where_the_models_own_is_another(
    endpoint: Endpoint,
) -> None:
    """A model of 9 numbers gives 4 when asked for; one that has 4 is not asked."""
    shapes = []
    for native in (9, 4):
        endpoint.answer = numbers(native, knows_the_field=True)
        embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=4, options=SOON)
        shapes += [(await embedder.embed(["a"])).shape for _ in range(2)]
        await embedder.aclose()

    assert shapes == [(1, 4)] * 4
    assert ["dimensions" in call for call in endpoint.calls] == [False, True, True, False, False]


async def test_a_dimension_that_it_does_not_have_is_named(endpoint: Endpoint) -> None:
    """Both numbers are told; no text is to blame."""
    endpoint.answer = numbers(9, knows_the_field=False)
    embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=4, options=SOON)

    with pytest.raises(EmbedderUnavailable, match=r"9 numbers.* 4.*PINAK_EMBEDDING_DIMENSION"):
        await embedder.embed_each(["a", "b"])
    await embedder.aclose()


async def test_a_dimension_that_is_not_given_is_found(endpoint: Endpoint) -> None:
    """The endpoint says by an answer how many numbers its model has."""
    endpoint.answer = numbers(5, knows_the_field=False)
    spec = await with_dimension(EmbedderSpec(kind="openai", url=endpoint.url, model="tiny"))

    assert spec.dimension == 5


def long_vectors(says: str) -> Any:
    """Answer vectors of 4,096 falling numbers: a server that refuses `dimensions`, knows none of
    it, or obeys."""

    def answer(body: Any, call: int) -> Any:
        if says == "refuses" and "dimensions" in body:
            return JSONResponse({"error": {"message": "extra inputs are not permitted"}}, 422)
        count = body.get("dimensions", 4096) if says == "obeys" else 4096
        vector = [1.0 / (at + 1) for at in range(count)]
        return {"data": [{"index": i, "embedding": vector} for i in range(len(body["input"]))]}

    return answer


@pytest.mark.parametrize("says", ["refuses", "ignores", "obeys"])
@pytest.mark.parametrize("wanted", [None, 512])
async def test_of_vectors_that_are_too_long_the_first_numbers_count(
    endpoint: Endpoint, says: str, wanted: int | None
) -> None:
    """Fewer numbers are asked for; where that is in vain the rest is cut off, and what is left is
    of length one."""
    endpoint.answer = long_vectors(says)
    spec = EmbedderSpec(
        kind="openai", url=endpoint.url, model="huge", dimension=wanted, endpoint=SOON
    )
    spec = await with_dimension(spec)
    embedder = load_embedder(spec)
    vectors = np.concatenate([await embedder.embed(["a", "b"]), await embedder.embed(["c"])])
    await embedder.aclose()

    expected = 1.0 / np.arange(1, (wanted or SHORTENED) + 1)
    assert spec.dimension == (wanted or SHORTENED)
    np.testing.assert_allclose(vectors, [expected / np.linalg.norm(expected)] * 3, rtol=1e-5)


async def test_queries_and_passages_are_told_apart(endpoint: Endpoint) -> None:
    """By prefixes and by fields, each on its own side; what both have goes into all requests."""
    options = EndpointOptions(
        body={"truncate": True},
        query_body={"input_type": "query"},
        passage_body={"input_type": "document"},
        query_prefix="q: ",
        passage_prefix="p: ",
    )
    embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, options=options)
    await embedder.embed(["stored"])
    await embedder.embed_queries(["asked"])
    await embedder.embed_soon(["intended"])
    await embedder.aclose()

    told = [(call["input"], call["input_type"], call["truncate"]) for call in endpoint.calls]
    assert told == [
        (["p: stored"], "document", True),
        (["q: asked"], "query", True),
        (["p: intended"], "document", True),
    ]
    assert (
        embedder.model.revision != OpenAiEmbedder(endpoint.url, "tiny", dimension=2).model.revision
    )
    assert EndpointOptions.from_json(options.to_json()) == options


async def test_this_machine_is_not_reached_by_a_proxy(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that the environment names is for what lies beyond this machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, options=SOON)

    assert (await embedder.embed(["a"])).shape == (1, 2)
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
    embedder = OpenAiEmbedder(endpoint.url, "tiny", dimension=2, options=SOON)
    await embedder.aclose()
    await embedder.aclose()

    with pytest.raises(Unavailable, match="closed"):
        await embedder.embed(["a"])
    assert "closed" in repr(embedder)


async def test_openai_is_loaded_from_a_spec(endpoint: Endpoint) -> None:
    """A spec of kind openai gives an embedder that asks its url."""
    embedder = load_embedder(
        EmbedderSpec(kind="openai", url=endpoint.url, model="tiny", dimension=2)
    )

    assert (await embedder.embed(["a", "bb"])).shape == (2, 2)
    await embedder.aclose()
