"""From the gateway's JSON back to records; the reverse of `serve/v1/answers.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from pinak_ray.records.memory.context import Context, ContextSection
from pinak_ray.records.memory.grades import (
    AnswerGrade,
    Conflict,
    Contradicted,
    GradeAction,
    GradedMemory,
    Quality,
    RetrievalGrade,
    Support,
)
from pinak_ray.records.memory.links import Link, LinkKind, Related
from pinak_ray.records.memory.memories import Ack, Layer, Outcome, Receipt
from pinak_ray.records.memory.nudges import Nudge, NudgeKind, Strength
from pinak_ray.records.memory.recall import Hit, RecallResult, Signal, Trace
from pinak_ray.records.operations import WatchPage
from pinak_ray.records.state.owners import Entry, EntryKind, WorkingItem

__all__ = [
    "context",
    "entries",
    "grade",
    "items",
    "nudges",
    "recall_result",
    "receipt",
    "related",
    "watch_page",
]

# The gateway does not show which write made a version; only hosts need it.
_UNKNOWN_OPERATION = UUID(int=0)

Json = Mapping[str, Any]


def receipt(answer: Json) -> Receipt:
    """Return the receipt of a write."""
    return Receipt(UUID(answer["id"]), Ack(answer["ack"]), answer["new"], answer["version"])


def recall_result(answer: Json) -> RecallResult:
    """Return hits, trace and cursor."""
    trace = answer["trace"]
    return RecallResult(
        tuple(_hit(hit) for hit in answer["hits"]),
        None if trace is None else Trace(**trace),
        answer["cursor"],
        answer.get("degraded"),  # a gateway of the release before says nothing of it
    )


def related(answer: Json) -> tuple[Related, ...]:
    """Return what links lead to."""
    return tuple(
        Related(_hit(each["hit"]), each["strength"], each["depth"], _link(each["link"]))
        for each in answer["related"]
    )


def _link(link: Json) -> Link:
    return Link(
        UUID(link["from_id"]),
        UUID(link["to_id"]),
        LinkKind(link["kind"]),
        link["strength"],
        link["author"],
        datetime.fromisoformat(link["created_at"]),
    )


def nudges(answer: Json) -> tuple[Nudge, ...]:
    """Return the nudges."""
    return tuple(
        Nudge(
            NudgeKind(nudge["kind"]),
            Strength(nudge["strength"]),
            nudge["message"],
            nudge["reason"],
            nudge["score"],
            tuple(_hit(hit) for hit in nudge["evidence"]),
            UUID(nudge["id"]),
        )
        for nudge in answer["nudges"]
    )


def grade(answer: Json) -> RetrievalGrade:
    """Return a graded retrieval."""
    said = answer["answer"]
    return RetrievalGrade(
        Quality(answer["quality"]),
        GradeAction(answer["action"]),
        answer["relevance"],
        answer["cover"],
        tuple(answer["uncovered"]),
        tuple(_graded(each) for each in answer["memories"]),
        tuple(map(UUID, answer["missing"])),
        tuple(
            Conflict(UUID(each["later"]), UUID(each["earlier"]), each["differs"])
            for each in answer["conflicts"]
        ),
        None if said is None else _answer_grade(said),
    )


def _graded(memory: Json) -> GradedMemory:
    superseded_by = memory["superseded_by"]
    ids = {"id": UUID(memory["id"]), "superseded_by": superseded_by and UUID(superseded_by)}
    return GradedMemory(**{**memory, **ids})


def _answer_grade(said: Json) -> AnswerGrade:
    return AnswerGrade(
        Support(said["support"]),
        said["supported"],
        tuple(said["unsupported"]),
        tuple(
            Contradicted(UUID(each["memory_id"]), each["differs"]) for each in said["contradicts"]
        ),
        said["utility"],
    )


def items(answer: Json) -> tuple[WorkingItem, ...]:
    """Return working items."""
    return tuple(
        WorkingItem(
            item["key"],
            orjson.dumps(item["value"]),
            item["version"],
            datetime.fromisoformat(item["updated_at"]),
            _moment(item["expires_at"]),
            _UNKNOWN_OPERATION,
        )
        for item in answer["items"]
    )


def context(answer: Json) -> Context:
    """Return the rendered context."""
    sections = tuple(ContextSection(**section) for section in answer["sections"])
    return Context(**{**answer, "sections": sections})


def entries(answer: Json) -> tuple[Entry, ...]:
    """Return entries of a board or scratchpad."""
    return tuple(
        Entry(
            UUID(entry["id"]),
            entry["seq"],
            EntryKind(entry["kind"]),
            entry["author"],
            entry["key"],
            entry["content"],
            orjson.dumps(entry["details"]),
            entry["version"],
            datetime.fromisoformat(entry["created_at"]),
            _moment(entry["expires_at"]),
            _UNKNOWN_OPERATION,
        )
        for entry in answer["entries"]
    )


def watch_page(answer: Json) -> WatchPage:
    """Return the next page of a watch."""
    return WatchPage(entries(answer), answer["cursor"])


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _hit(hit: Json) -> Hit:
    return Hit(
        **{
            **hit,
            "id": UUID(hit["id"]),
            "layer": Layer(hit["layer"]),
            "tags": tuple(hit["tags"]),
            "outcome": None if hit["outcome"] is None else Outcome(hit["outcome"]),
            "occurred_at": datetime.fromisoformat(hit["occurred_at"]),
            "created_at": datetime.fromisoformat(hit["created_at"]),
            "signals": tuple(Signal(**signal) for signal in hit["signals"]),
        }
    )
