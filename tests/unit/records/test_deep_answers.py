"""Answers that hold what was stored before its depth had a limit."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from pinak_ray.records.board.tasks import BoardTask, TasksAnswer
from pinak_ray.records.ids import uuid7
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.memory.recall import Hit, RecallResult
from pinak_ray.serve.v1.answers import JsonAnswer

# What orjson itself writes, which is what could be stored.
DEEPEST = 254


def nested(levels: int) -> dict[str, Any]:
    """Return objects in objects."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize("levels", [64, 200, 248, 251, DEEPEST])
def test_a_deep_hit_is_answered(levels: int) -> None:
    """A recall that finds a deep memory answers it whole, and its neighbours with it."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    hits = tuple(
        Hit(uuid7(), "x", 1.0, Layer.SEMANTIC, "a", None, (), None, now, now, details=details)
        for details in (nested(levels), {"b": [1]})
    )

    answer = orjson.loads(JsonAnswer(RecallResult(hits)).body)

    assert [nested(levels), {"b": [1]}] == [hit["details"] for hit in answer["hits"]]
    assert answer["hits"][0]["occurred_at"] == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize("levels", [64, 240, 248, DEEPEST])
def test_a_deep_output_leaves_the_board_readable(levels: int) -> None:
    """A task that ended with a deep output does not hide its board."""
    task = BoardTask(
        parent=None, after=(), place=0, criteria=None, priority=5, details={},
        output=nested(levels), id=uuid7(), title="t", author="a", key=None, version=1, depth=0,
        executable=False, waits_for=(), progress=1.0,
    )  # fmt: skip

    answer = orjson.loads(JsonAnswer(TasksAnswer(tasks=(task,), progress=1.0)).body)

    assert nested(levels) == answer["tasks"][0]["output"]
    assert answer["tasks"][0]["status"] == "pending"
