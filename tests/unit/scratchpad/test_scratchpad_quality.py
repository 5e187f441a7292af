"""The quality signal: bounded, monotone, and about the actual questions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.scratchpad.parts import (
    Act,
    AnswerOnScratchpad,
    AskOnScratchpad,
    Observe,
    Reason,
)
from pinak_ray.records.scratchpad.quality import Quality, QualityAnswer
from tests.support.scratchpads import Scratchpad

SHARES = st.floats(0, 1)
RELEVANT = st.floats(0.5, 1)
WEIGHTS = st.fixed_dictionaries(
    {name: st.floats(0.01, 10) for name in ("evidence", "reasoning", "coverage")}
)


def judged(
    relevances: list[float], confidences: list[float], borne: list[bool], **weights: float
) -> QualityAnswer:
    """Return the quality of a scratchpad of such observations, steps and questions."""
    pad = Scratchpad()
    for relevance in relevances:
        pad.do(Observe(content="seen", relevance=relevance))
    for confidence in confidences:
        pad.do(Reason(content="so", confidence=confidence))
    for is_borne in borne:
        question = pad.made(AskOnScratchpad(content="why?"))
        if is_borne:
            pad.do(AnswerOnScratchpad(question=question, content="so"))
    answer: QualityAnswer = pad.show(Quality(**weights))
    return answer


@given(st.lists(SHARES), st.lists(SHARES), st.lists(st.booleans()), WEIGHTS)
def test_it_is_bounded(
    relevances: list[float], confidences: list[float], borne: list[bool], weights: Any
) -> None:
    """Whatever is on the scratchpad and however it is weighed, each part is from 0 to 1."""
    quality = judged(relevances, confidences, borne, **weights)

    assert 0 <= quality.overall <= 1
    assert 0 <= quality.evidence <= 1
    assert 0 <= quality.reasoning <= 1
    assert quality.coverage is None or 0 <= quality.coverage <= 1
    assert sum(quality.weights.values()) == pytest.approx(1)


@given(
    st.lists(RELEVANT, min_size=1, max_size=5),
    st.lists(SHARES, min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=1, max_size=5),
    WEIGHTS,
    st.data(),
)
def test_better_work_is_never_judged_worse(
    relevances: list[float], confidences: list[float], borne: list[bool], weights: Any, data: Any
) -> None:
    """More relevance, more confidence or one more question that is borne upon never lowers it."""
    before = judged(relevances, confidences, borne, **weights).overall
    for values, better in (
        (relevances, [max(relevances[0], data.draw(RELEVANT)), *relevances[1:]]),
        (confidences, [max(confidences[0], data.draw(SHARES)), *confidences[1:]]),
        (borne, [True, *borne[1:]]),
    ):
        parts = [better if part is values else part for part in (relevances, confidences, borne)]
        assert judged(*parts, **weights).overall >= before - 1e-12  # type: ignore[arg-type]


def test_coverage_is_of_the_questions_that_were_asked() -> None:
    """Ten observations that bear on nothing cover nothing; one that bears on half covers half."""
    pad = Scratchpad()
    questions = [pad.made(AskOnScratchpad(content="why?")) for _ in range(2)]
    for _ in range(10):
        pad.do(Observe(content="seen"))
    assert pad.show(Quality()).coverage == 0

    pad.do(Reason(content="so", question=questions[0]))
    assert pad.show(Quality()).coverage == 0.5


def test_without_questions_coverage_has_no_weight() -> None:
    """The other parts share what it would have had, and the advice is to ask."""
    quality = judged([0.8], [0.8], [])

    assert (quality.coverage, quality.weights["coverage"]) == (None, 0)
    assert quality.overall == pytest.approx(0.8)
    assert "no question was asked" in quality.indicators


def test_what_is_irrelevant_is_no_evidence() -> None:
    """An observation below a relevance of .5 neither helps nor harms."""
    assert judged([0.9, 0.1], [], []).evidence == pytest.approx(0.9)
    assert "no relevant observation" in judged([0.1], [], []).indicators


def test_a_contradiction_lowers_it_and_is_named() -> None:
    """Contradicted evidence is worth less, and so is what rests on it."""
    pad = Scratchpad()
    seen = pad.made(Observe(content="hot", relevance=1))
    pad.do(Reason(content="so", premises=(seen,), confidence=1))
    before = pad.show(Quality())
    pad.do(Observe(content="cold", relevance=0, contradicts=(seen,)))
    after = pad.show(Quality())

    assert (before.evidence, before.reasoning) == (1, 1)
    assert (after.evidence, after.reasoning) == (0.5, 0.5)
    assert "the evidence is conflicting" in after.indicators


def test_what_is_missing_is_recommended() -> None:
    """An empty scratchpad and one with failures each hear what to do next."""
    assert len(Scratchpad().show(Quality()).recommendations) == 3

    pad = Scratchpad()
    pad.do(Act(action="look", success=False))
    pad.do(Act(action="look again"))
    assert "1 actions failed" in pad.show(Quality()).indicators


def test_weights_that_are_all_zero_are_refused() -> None:
    """Nothing can be weighed by nothing; coverage alone needs questions."""
    pad = Scratchpad()
    for weights in ({"coverage": 0.0}, {"coverage": 1.0}):
        with pytest.raises(InvalidInput):
            pad.show(Quality(evidence=0, reasoning=0, **weights))
