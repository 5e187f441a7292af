"""Times and numbers at their ends: what is taken has a place in UTC and in PostgreSQL, and what is
not is refused by its field's name, never by an error of the calendar or of arithmetic.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pinak_ray.client.handles.checks import checked_version, kind_named, read_operation
from pinak_ray.language.named_dates import named_dates
from pinak_ray.records.asking import asked
from pinak_ray.records.commands import checked_model
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_TTL_S,
    brief,
    check_depth,
    check_id,
    check_number,
    check_ttl,
    check_whole,
)
from pinak_ray.records.memory.links import new_related
from pinak_ray.records.memory.memories import ack_level, expiry, layer_named, moment, new_memory
from pinak_ray.records.memory.nudges import check_nudge_count, verdict_named
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.records.memory.templates import Distill, FindTemplates
from pinak_ray.records.scratchpad.entities import Mention, OneEntity
from pinak_ray.records.scratchpad.parts import Act
from pinak_ray.records.state.owners import Owner, Space

OWNER = Owner(1, Space.AGENT, "a")
OVER = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T05:59:59.999999+06:00",
]
HUGE = [
    pytest.param(10**400, id="400 digits"),
    pytest.param(-(10**400), id="negative"),
    pytest.param(10**5000, id="5000 digits"),
]


class Nowhere(tzinfo):
    """A zone that does not know where it is."""

    def utcoffset(self, _: datetime | None) -> timedelta | None:
        return None


@pytest.mark.parametrize("time", OVER)
@pytest.mark.parametrize(
    "use",
    [
        lambda time: new_memory(1, "a", "x", occurred_at=time),
        lambda time: new_recall("x", since=time),
        lambda time: new_recall("x", until=time),
        lambda time: new_recall("x", as_of=time),
        lambda time: checked_model(Mention, name="n", at=time),
        lambda time: checked_model(OneEntity, called="n", at=time),
    ],
    ids=["occurred_at", "since", "until", "as_of", "at", "at"],
)
def test_a_time_outside_of_the_calendar_is_refused(use: Callable[[str], Any], time: str) -> None:
    """What has no date in UTC is refused, in the words of its field, in each field alike."""
    with pytest.raises(InvalidInput, match=r"(occurred_at|since|until|as_of|at) .* 1 to 9999"):
        use(time)


def test_zones_of_any_kind_are_read() -> None:
    """A zone by name at the end of the calendar is refused; one that knows no offset is none."""
    with pytest.raises(InvalidInput, match=r"at .* 1 to 9999"):
        moment("at", datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo")))
    with pytest.raises(InvalidInput, match="at has no time zone"):
        moment("at", datetime(2026, 1, 1, tzinfo=Nowhere()))


@pytest.mark.parametrize(
    "time", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_the_ends_themselves_are_taken(time: datetime) -> None:
    """The first and the last moment of the calendar are times like others."""
    assert time == moment("at", time) == moment("at", time.isoformat())
    assert time == moment("at", time.replace(tzinfo=timezone(timedelta(0))))


def test_what_would_live_past_the_calendar_is_refused() -> None:
    """A time to live that leads out of the calendar is refused by its name."""
    late = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)

    assert expiry(late, 60) == late + timedelta(seconds=60)
    with pytest.raises(InvalidInput, match="ttl_s"):
        expiry(late, MAX_TTL_S)


@pytest.mark.parametrize("value", HUGE)
@pytest.mark.parametrize(
    "use",
    [
        lambda value: check_number("n", value, low=-1e6, high=1e6),
        lambda value: check_whole("n", value, low=0, high=10),
        lambda value: check_depth("n", value, low=0),
        lambda value: check_id("n", value),
        check_ttl,
        checked_version,
        kind_named,
        layer_named,
        ack_level,
        verdict_named,
        check_nudge_count,
        lambda value: moment("n", value),
        lambda value: new_memory(1, "a", "x", salience=value),
        lambda value: new_memory(1, "a", "x", ttl_s=value),
        lambda value: new_memory(1, "a", "x", details={"n": value}),
        lambda value: new_recall("x", k=value),
        lambda value: new_recall("x", recipe="rrf", rrf_k=value),
        lambda value: new_recall("x", min_score=value),
        lambda value: new_recall("x", expand=value),
        lambda value: new_recall("x", cursor=value),
        lambda value: new_related("0198c7a2-5d1e-7b3a-9f00-2b6c4d8e1f00", k=value),
        lambda value: new_related("0198c7a2-5d1e-7b3a-9f00-2b6c4d8e1f00", kinds=[value]),
        lambda value: asked(FindTemplates, 1, problem="p", k=value),
        lambda value: asked(Distill, OWNER, problem="p", after=value),
        lambda value: read_operation(OWNER, value, (), 10),
        lambda value: read_operation(OWNER, 0, (), value),
        lambda value: checked_model(Act, action="x", duration_ms=value),
    ],
)  # fmt: skip
def test_numbers_of_any_size_are_refused_by_name(use: Callable[[int], Any], value: int) -> None:
    """A number that no float holds, or that Python does not even print, is bad input."""
    with pytest.raises(InvalidInput):
        use(value)


def test_what_an_error_quotes_is_short() -> None:
    """A refused value is quoted, but not whole."""
    assert brief("a") == "'a'"
    assert len(brief("a" * 100_000)) < 100
    assert len(brief([10**5000])) < 100


@pytest.mark.parametrize(
    "question",
    [
        "what happened 999 years ago?",
        "what happened 99999999 days ago?",
        "999 months ago",
        "999 weeks ago",
        "what happened on 0000-01-01?",
        "in May 0000",
        "on 2026-02-30",
        "since ९९९ days ago",
    ],
)
@pytest.mark.parametrize(
    "now", [datetime.min.replace(tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]
)
def test_a_question_may_name_any_date(question: str, now: datetime) -> None:
    """Dates that never were are dates that nothing matches."""
    named = named_dates(question, now)

    assert named is None or not named.matches(now)
