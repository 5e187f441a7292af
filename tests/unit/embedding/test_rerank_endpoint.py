"""The reranker's client, against a real server that behaves well, slowly, and wrongly."""

import asyncio
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from pinak_ray.embedding.endpoint.rerank import RerankEndpoint, RerankSpec
from pinak_ray.records.errors import SetupError, Unavailable
from tests.support.ports import free_port
from tests.support.reranker import WRONG, RerankServer, by_length
from tests.support.waiting import until

TEXTS = ["short", "the longest of them all", "of middling length"]
LENGTHS = [float(len(text)) for text in TEXTS]
PATIENT_S = 20.0


@pytest.fixture
def server() -> Iterator[RerankServer]:
    """Give a server."""
    started = RerankServer()
    yield started
    started.stop()


def client(url: str, timeout_s: float = PATIENT_S, **more: Any) -> RerankEndpoint:
    """Return a client."""
    return RerankEndpoint(RerankSpec(url=url, model="judge", timeout_s=timeout_s, **more))


async def test_scores_are_in_the_order_of_the_texts(server: RerankServer) -> None:
    """The common form: model, query, documents and their number; the answer is by index."""
    reranker = client(server.url)

    assert await reranker.scores("which?", TEXTS) == LENGTHS
    assert server.calls == [
        {"model": "judge", "query": "which?", "documents": TEXTS, "top_n": len(TEXTS)}
    ]
    await reranker.aclose()


async def test_tei_is_asked_in_its_own_form(server: RerankServer) -> None:
    """What misses `texts` is asked for `texts` from then on, and a plain list is an answer."""
    reranker = client(server.url + "/tei/")

    assert await reranker.scores("which?", TEXTS) == LENGTHS
    assert await reranker.scores("which else?", TEXTS) == LENGTHS
    assert ["texts" in call for call in server.calls] == [False, True, True]
    await reranker.aclose()


async def test_a_whole_address_is_used_as_it_is(server: RerankServer) -> None:
    """An address that ends with `/rerank` is not made longer."""
    reranker = client(server.url + "/rerank")

    assert await reranker.scores("which?", TEXTS) == LENGTHS
    await reranker.aclose()


async def test_the_same_question_is_asked_once(server: RerankServer) -> None:
    """Pages of one question have one order, whatever the server would say the next time."""
    reranker = client(server.url)
    first = await reranker.scores("which?", TEXTS)
    server.answer = lambda body: {
        "results": [{"index": at, "relevance_score": 0.0} for at in range(len(body["documents"]))]
    }

    assert await reranker.scores("which?", TEXTS) == first
    assert await reranker.scores("which?", TEXTS[:2]) == [0.0, 0.0]
    await reranker.aclose()


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_answer_is_none(server: RerankServer, wrong: str) -> None:
    """What is no score for each text, once, is unavailable, and says what was wrong."""
    reranker = client(server.url)
    server.answer = WRONG[wrong]

    with pytest.raises(Unavailable, match="the reranker does not answer: "):
        await reranker.scores("which?", TEXTS)
    assert reranker.trouble is not None
    await reranker.aclose()


async def test_nobody_waits_for_one_that_is_down(server: RerankServer) -> None:
    """After a failure callers hear of it without a request, until a probe was answered."""
    reranker = client(server.url)
    server.answer = WRONG["an error"]
    with pytest.raises(Unavailable, match="HTTP 500 out of memory"):
        await reranker.scores("which?", TEXTS)
    asked = len(server.calls)

    with pytest.raises(Unavailable, match="HTTP 500 out of memory"):
        await reranker.scores("which else?", TEXTS)
    assert len(server.calls) == asked

    server.answer = by_length
    await until(lambda: reranker.trouble is None, what="a probe is answered")
    assert await reranker.scores("which else?", TEXTS) == LENGTHS
    await reranker.aclose()


async def test_texts_that_are_refused_keep_nobody_else_away(server: RerankServer) -> None:
    """HTTP 413 to these texts is no outage: others are asked for at once."""
    reranker = client(server.url)
    server.answer = refused
    with pytest.raises(Unavailable, match="HTTP 413"):
        await reranker.scores("b", TEXTS)

    server.answer = by_length
    assert reranker.trouble is None
    assert await reranker.scores("c", TEXTS) == LENGTHS
    await reranker.aclose()


def refused(body: dict[str, Any]) -> Any:
    """Say that the texts are too many."""
    return JSONResponse({"error": "input is too large"}, 413)


async def test_a_slow_one_has_a_deadline(server: RerankServer) -> None:
    """What does not come in time is unavailable, and the cause names the time."""
    hold = threading.Event()

    async def slow(body: dict[str, Any]) -> Any:
        await asyncio.to_thread(hold.wait, 30)
        return by_length(body)

    server.answer = slow
    reranker = client(server.url, timeout_s=0.2)
    with pytest.raises(Unavailable, match=r"did not answer within 0\.2 s"):
        await reranker.scores("which?", TEXTS)
    hold.set()
    await reranker.aclose()


async def test_ping_asks_and_remembers_how_it_went(server: RerankServer) -> None:
    """A ping tells an endpoint that answers from one that does not."""
    up, down = client(server.url), client(f"http://127.0.0.1:{free_port()}")
    await up.ping()
    await down.ping()

    assert up.trouble is None
    assert down.trouble is not None
    assert "PINAK_RERANK_URL" in down.trouble
    await up.aclose()
    await down.aclose()


async def test_a_key_is_sent_and_never_shown(server: RerankServer, tmp_path: Path) -> None:
    """The key goes to its endpoint, is read anew from a file, and is in no repr."""
    file = tmp_path / "key"
    file.write_text("first\n")
    reranker = client(server.url, key_file=file)
    await reranker.scores("a", TEXTS)
    file.write_text("second\n")
    await reranker.scores("b", TEXTS)
    spec = RerankSpec(url=server.url, api_key="hidden")

    assert server.keys == ["Bearer first", "Bearer second"]
    assert "hidden" not in repr(spec)
    assert pickle.loads(pickle.dumps(spec)) == spec
    await reranker.aclose()


def test_a_url_is_one() -> None:
    """What is no web address is refused at once, by the name of its setting."""
    with pytest.raises(SetupError, match="PINAK_RERANK_URL"):
        client("localhost:8080")


async def test_a_closed_one_says_so(server: RerankServer) -> None:
    """After `aclose`, which may come twice, it is unavailable."""
    reranker = client(server.url)
    await reranker.aclose()
    await reranker.aclose()

    with pytest.raises(Unavailable, match="closed"):
        await reranker.scores("which?", TEXTS)
