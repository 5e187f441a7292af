"""A recall travels over HTTP whole: what is asked, and what comes back."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from pinak_ray.client.over_http.requests import http_request
from pinak_ray.embedding import check_vector, encode_halfvec_one
from pinak_ray.records.memory.memories import Layer, Outcome
from pinak_ray.records.memory.recall import (
    Filters,
    Hit,
    RecallRequest,
    RecallResult,
    Signal,
    Trace,
    new_recall,
)
from pinak_ray.records.operations import Recall
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.models.recall import RecallBody

THEN = datetime(2026, 1, 31, 12, 30, 15, 123456, tzinfo=UTC)
EVERYTHING: dict[str, Any] = {
    "query": "orders ü", "k": 7, "recipe": "rrf", "rrf_k": 9, "min_score": 0.25, "trace": True,
    "expand": 2, "layers": ["episodic", "semantic"], "agents": ["ada"], "sessions": ["s"],
    "tags": ["a"], "any_tags": ["b", "c"], "no_tags": ["d"], "entities": ["e"],
    "outcome": "failure", "since": THEN, "until": datetime(2026, 2, 28, tzinfo=UTC),
    "as_of": datetime(2026, 3, 1, 1, 2, 3, 4, tzinfo=UTC),
    "now": datetime(2026, 3, 1, 23, tzinfo=UTC), "zone": "Asia/Tokyo", "every_copy": True,
    "rerank": True, "min_relevance": 0.125,
    "vector": encode_halfvec_one(check_vector([1.0, 0.5, -0.25, 0.0], dimension=4)),
}  # fmt: skip
WHOLE = new_recall(**EVERYTHING)


@pytest.mark.parametrize(
    "request_",
    [
        WHOLE,
        replace(WHOLE, cursor=WHOLE.cursor_to(WHOLE.k)),
        new_recall("orders"),
        new_recall(recipe="recent"),
    ],
    ids=["whole", "next page", "plain", "no query"],
)
def test_a_request_arrives_as_it_was_sent(request_: RecallRequest) -> None:
    """Every field and filter, and the cursor still fits its query."""
    sent = orjson.dumps(http_request(Recall(1, request_)).body)
    body = RecallBody.model_validate_json(sent)
    vector = None if body.vector is None else check_vector(body.vector, dimension=4)

    assert body.request(vector=None if vector is None else encode_halfvec_one(vector)) == request_


def test_nothing_was_left_out_above() -> None:
    """The whole request sets every field and filter to something that is not its default."""
    plain, cursor = new_recall("x"), WHOLE.cursor_to(WHOLE.k)
    paged = replace(WHOLE, cursor=cursor)
    for one in fields(RecallRequest):
        assert getattr(paged, one.name) != getattr(plain, one.name), one.name
    for one in fields(Filters):
        assert getattr(WHOLE.filters, one.name) != getattr(plain.filters, one.name), one.name


def test_an_answer_arrives_as_it_was_sent() -> None:
    """Hits, signals, trace and cursor are records again, equal to the gateway's."""
    hit = Hit(
        UUID(int=7), "orders ü", 1.5, Layer.EPISODIC, "ada", None, ("a",), Outcome.FAILURE, THEN,
        THEN, {"n": [1, None]}, "s",
        (Signal("dense", None, None, 0.25, -0.5), Signal("lexical", 2.5, 1, 0.25, 2.0)),
    )  # fmt: skip
    trace = Trace("rrf", "rrf", {"dense": 0.25}, {"dense": 3}, 4, 2, 0.5, {"sql": 1.25}, 60)
    result = RecallResult((hit,), trace, WHOLE.cursor_to(WHOLE.k))
    answer = orjson.loads(JsonAnswer(result).body)

    assert http_request(Recall(1, WHOLE)).parse(answer) == result
