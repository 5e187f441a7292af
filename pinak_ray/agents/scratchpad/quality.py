"""The quality signal: evidence, reasoning and coverage, and what would make them better."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import fmean
from typing import NamedTuple

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import share_of
from pinak_ray.agents.scratchpad.graph import Graph, graph_of
from pinak_ray.agents.scratchpad.questions import questions_of
from pinak_ray.agents.scratchpad.verification import LOW, checked_thoughts
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.scratchpad.parts import (
    ScratchpadQuestion,
    ScratchpadQuestionStatus,
    Uncertainty,
)
from pinak_ray.records.scratchpad.quality import Quality, QualityAnswer
from pinak_ray.records.scratchpad.thoughts import CheckedThought
from pinak_ray.records.state.owners import EntryKind

__all__ = ["show_quality"]

# As memOS had it: what is less relevant is no evidence, neither good nor bad.
_RELEVANT = 0.5


class _Scratchpad(NamedTuple):
    """What is judged."""

    evidence: Sequence[float]
    """How good each relevant observation is."""
    steps: Sequence[CheckedThought]
    questions: Sequence[ScratchpadQuestion]
    failures: int


class _Remark(NamedTuple):
    applies: bool
    indicator: str
    recommendation: str


def show_quality(log: EntryLog, view: Quality, now: datetime) -> QualityAnswer:
    """Judge a scratchpad; raises InvalidInput when the weights are all zero."""
    graph = graph_of(log, now)
    pad = _Scratchpad(
        _evidence(graph),
        [each for each in checked_thoughts(graph) if each.thought.kind is EntryKind.REASONING],
        questions_of(log, graph, now),
        sum(
            entry.details.get("success") is False
            for entry in log.of_kind(EntryKind.TRAJECTORY, now=now)
        ),
    )
    evidence = _mean(pad.evidence)
    reasoning = _mean(each.thought.confidence for each in pad.steps)
    covered = [
        question.status is not ScratchpadQuestionStatus.UNANSWERED for question in pad.questions
    ]
    coverage = fmean(covered) if covered else None
    weights = _weights(view, coverage is not None)
    parts = {"evidence": evidence, "reasoning": reasoning, "coverage": coverage or 0.0}
    remarks = [remark for remark in _remarks(pad) if remark.applies]
    return QualityAnswer(
        overall=min(1.0, sum(weights[name] * part for name, part in parts.items())),
        evidence=evidence,
        reasoning=reasoning,
        coverage=coverage,
        weights=weights,
        indicators=tuple(remark.indicator for remark in remarks),
        recommendations=tuple(remark.recommendation for remark in remarks),
    )


def _evidence(graph: Graph) -> list[float]:
    """Return the relevance of what is relevant, less where it is contradicted."""
    found = []
    for id_, node in graph.nodes.items():
        if node.entry.kind is EntryKind.OBSERVATION:
            relevance = share_of(node.entry.details, "relevance", _RELEVANT)
            if relevance >= _RELEVANT:
                found.append(relevance * graph.confidence[id_])
    return found


def _weights(view: Quality, has_questions: bool) -> dict[str, float]:
    given = {
        "evidence": view.evidence,
        "reasoning": view.reasoning,
        "coverage": view.coverage if has_questions else 0.0,
    }
    total = sum(given.values())
    if total <= 0:
        raise InvalidInput("all weights are 0; give at least one part a weight")
    return {name: weight / total for name, weight in given.items()}


def _remarks(pad: _Scratchpad) -> Iterable[_Remark]:
    low = sum(each.thought.confidence < LOW for each in pad.steps)
    states = {each.uncertainty for each in pad.steps}
    statuses = [question.status for question in pad.questions]
    conflict = Uncertainty.CONFLICTING in states or ScratchpadQuestionStatus.CONFLICT in statuses
    bare = statuses.count(ScratchpadQuestionStatus.UNANSWERED)
    yield _Remark(not pad.evidence, "no relevant observation", "observe something first")
    yield _Remark(
        bool(pad.evidence) and _mean(pad.evidence) < LOW,
        "the evidence is weak",
        "look for better sources",
    )
    yield _Remark(not pad.steps, "no reasoning", "say what follows from the observations")
    yield _Remark(low > 0, f"{low} steps of low confidence", "find premises for them, or drop them")
    yield _Remark(
        Uncertainty.MISSING in states,
        "a premise is missing",
        "see verify_reasoning, and replace the premise",
    )
    yield _Remark(
        Uncertainty.UNVERIFIED in states,
        "a step rests on nothing",
        "name the observations that it rests on",
    )
    yield _Remark(conflict, "the evidence is conflicting", "find out which of it holds")
    yield _Remark(not statuses, "no question was asked", "ask what the task has to answer")
    yield _Remark(bare > 0, f"nothing bears on {bare} questions", "observe what answers them")
    yield _Remark(
        pad.failures > 0, f"{pad.failures} actions failed", "try them again, or another way"
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return fmean(found) if found else 0.0
