"""Evidence: how cosine and shared words make a failure's score."""

import math
from dataclasses import replace
from typing import Any

import pytest

from pinak_ray.nudges.evidence import Evidence, scored


def evidence(
    *lexical: float, documents: int = 100, failures: int = 1, outcome: str | None = "failure"
) -> list[Evidence]:
    """Score memories that are equally near and share words of this BM25."""
    rows = [
        row(at, bm25, documents) | {"failures": failures, "outcome": outcome}
        for at, bm25 in enumerate(lexical)
    ]
    return scored(rows, "deploy", lambda _: True)


def row(id_: int, bm25: float, documents: int) -> dict[str, Any]:
    """A row of `evidence`, of which no agent has said anything."""
    counted = {"similarity": 0.3, "lexical": bm25, "documents": documents, "failures": 1}
    said = {"usefulness": 0.0, "agents": 0, "shown": []}
    return {"id": id_, "content": "it failed", "outcome": "failure", **counted, **said}


def test_the_best_comes_first() -> None:
    """Of equally near failures the one that shares more words is better."""
    assert [failure.row["id"] for failure in evidence(1.0, 3.0, 2.0)] == [1, 2, 0]


def test_a_common_word_counts_little_even_where_nothing_better_is_shared() -> None:
    """What words say does not depend on how little the other failures share."""
    alone = evidence(0.9)[0].score
    assert alone == evidence(0.9, 8.0)[1].score
    assert alone == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("documents", [1, 2, 1000, 10**7])
def test_two_words_of_one_memory_alone_say_all_that_words_can(documents: int) -> None:
    """In a young namespace as in a large one; more such words say no more."""
    unique = math.log(1 + (documents - 0.5) / 1.5)
    (one,), (two,), (ten,) = (evidence(n * unique, documents=documents) for n in (1, 2, 10))
    assert [each.score for each in (one, two, ten)] == pytest.approx([0.5, 0.7, 0.7])


@pytest.mark.parametrize("documents", [0, 1])
def test_a_namespace_without_statistics_yet_is_no_error(documents: int) -> None:
    """Words are counted a moment after they are stored."""
    assert evidence(0.0, documents=documents)[0].score == pytest.approx(0.3)


def test_a_vector_of_unknown_words_is_evidence_of_nothing() -> None:
    """Where the model knows not the words of both texts, what they share counts, no cosine."""
    alike = {**row(1, 0.0, 100), "similarity": 1.0, "content": "备份失败"}
    for text in ("检索数据", "look for data"):
        (found,) = scored([alike], text, str.isascii)
        assert found.similarity == 0.0
    (found,) = scored([alike], "备份失败", str.isascii)
    assert found.similarity == 1.0


def test_the_more_failures_there_are_the_more_has_to_be_shared() -> None:
    """The best of ten thousand others is nearer than the best of a hundred: by chance, no more."""
    few, many, most = (evidence(0.0, failures=n)[0].score for n in (100, 1_000, 10_000))
    assert few == evidence(0.0, failures=1)[0].score > many > most
    assert few - many == pytest.approx(many - most)


def test_among_many_failures_a_rare_word_makes_up_for_what_chance_gives() -> None:
    """What only one of ten thousand says is no chance; what is said everywhere makes up nothing."""
    rare = math.log(1 + (10_000 - 0.5) / 1.5)
    two_rare, one_common = (
        evidence(shared, documents=10_000, failures=10_000)[0].score for shared in (2 * rare, 1.0)
    )
    assert two_rare > evidence(2 * rare, documents=10_000, failures=100)[0].score
    assert one_common < evidence(1.0, documents=10_000, failures=100)[0].score - 0.25


def test_facts_are_measured_as_before_however_many_failures_there_are() -> None:
    """What an intent contradicts is no matter of chance among failures."""
    among = [evidence(3.0, failures=n, outcome=None)[0] for n in (1, 10_000)]
    assert among[0].score == among[1].score
    assert [each.reason for each in among] == [among[0].reason] * 2


def test_a_nudge_shows_what_its_score_is_made_of_among_many() -> None:
    """The signals add up to the score, and the reason tells of the many."""
    (found,) = evidence(4.0, documents=5_000, failures=5_000)
    memory = {"layer": "episodic", "agent": "a", "session": None, "tags": (), "details": b"{}"}
    memory |= dict.fromkeys(("occurred_at", "created_at", "source"))
    hit = replace(found, row={**found.row, **memory}).hit()
    assert sum(signal.contribution for signal in hit.signals) == pytest.approx(hit.score)
    assert "for the many failures" in found.reason
