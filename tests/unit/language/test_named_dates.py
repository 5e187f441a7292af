"""Named dates: a query's date, however it is written, and no word that only looks like one."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pinak_ray.language.named_dates import NamedDate, named_dates

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)  # a Saturday
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
untimed = settings(deadline=None)
dates = st.dates(date(1900, 1, 1), date(2099, 12, 31))
moments = st.builds(datetime.combine, dates, st.times(), st.just(UTC))


def ordinal(day: int) -> str:
    """Return the day as "1st", "22nd", "13th"."""
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def name(day: date) -> str:
    """Return the month's full name."""
    return MONTHS[day.month - 1]


IN_FULL = {
    "iso": lambda day: f"{day:%Y-%m-%d}",
    "iso time": lambda day: f"{day:%Y-%m-%d}T10:00:00Z",
    "slashes": lambda day: f"{day:%Y/%m/%d}",
    "day month": lambda day: f"{day.day} {name(day)} {day.year}",
    "day month, year": lambda day: f"{day.day:02} {name(day)}, {day.year}",
    "ordinal of": lambda day: f"the {ordinal(day.day)} of {name(day)} {day.year}",
    "month day": lambda day: f"{name(day)} {day.day}, {day.year}",
    "no space": lambda day: f"{name(day)} {day.day},{day.year}",
    "month ordinal": lambda day: f"{name(day)} the {ordinal(day.day)}, {day.year}",
    "short": lambda day: f"{name(day)[:3]} {day.day} {day.year}",
    "short, dotted": lambda day: f"{day.day} {name(day)[:3]}. {day.year}",
    "lower": lambda day: f"{name(day).lower()} {day.day} {day.year}",
}
IN_MONTH = {
    "iso": lambda day: f"{day:%Y-%m}",
    "name": lambda day: f"{name(day)} {day.year}",
    "of": lambda day: f"the beginning of {name(day)} of {day.year}",
    "comma": lambda day: f"{name(day)[:3].lower()}, {day.year}",
}


def at(day: date) -> datetime:
    """Return noon of the day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.mark.parametrize("form", IN_FULL)
@untimed
@given(day=dates, other=dates)
def test_a_date_in_full_is_that_day_alone(form: str, day: date, other: date) -> None:
    """Any way to write a date names it, and no day, month or year beside it."""
    named = named_dates(f"what broke on {IN_FULL[form](day)}?", NOW)
    assert named is not None
    assert named.dates == (NamedDate(day.year, day.month, day.day),)
    assert named.matches(at(day))
    for far in (1, 28, 30, 31, 365, 366, (day - other).days):
        if far:
            assert not named.matches(at(day) - timedelta(days=far))


@pytest.mark.parametrize("form", IN_MONTH)
@untimed
@given(day=dates, other=dates)
def test_a_month_of_a_year_is_all_its_days(form: str, day: date, other: date) -> None:
    """Every day of the month matches and no other."""
    named = named_dates(f"what broke in {IN_MONTH[form](day)}?", NOW)
    assert named is not None
    assert named.matches(at(day))
    assert named.matches(at(other)) == ((day.year, day.month) == (other.year, other.month))


@untimed
@given(day=dates, other=dates)
def test_what_is_not_named_is_not_asked(day: date, other: date) -> None:
    """A day or month without its year is that of any year; a year is all its days."""
    by_day = named_dates(f"on {day.day} {name(day)}", NOW)
    by_month = named_dates(f"in {name(day).lower()}", NOW)
    by_year = named_dates(f"since {day.year}", NOW)
    assert by_day is not None
    assert by_month is not None
    assert by_year is not None
    assert by_day.matches(at(other)) == ((day.month, day.day) == (other.month, other.day))
    assert by_month.matches(at(other)) == (day.month == other.month)
    assert by_year.matches(at(other)) == (day.year == other.year)


@untimed
@given(now=moments, count=st.integers(0, 900), off=st.integers(-900, 900))
def test_days_ago_are_counted_back_from_now(now: datetime, count: int, off: int) -> None:
    """So many days ago is that day and no other."""
    named = named_dates(f"what failed {count} days ago", now)
    assert named is not None
    assert named.matches(now - timedelta(days=count + off)) == (off == 0)


@untimed
@given(now=moments, far=st.integers(-1, 20))
def test_last_week_is_the_seven_days_before_monday(now: datetime, far: int) -> None:
    """Last week ends with the Sunday before this week's Monday."""
    named = named_dates("who deployed last week?", now)
    assert named is not None
    assert named.matches(now - timedelta(days=far)) == (1 <= far - now.weekday() <= 7)


@untimed
@given(now=moments, month=st.integers(1, 12))
def test_last_month_by_name_is_within_a_year(now: datetime, month: int) -> None:
    """ "Last May" is the latest May that is over, or the one before when it is May."""
    named = named_dates(f"last {MONTHS[month - 1]}", now)
    assert named is not None
    ((year, found, _),) = named.dates
    assert found == month
    assert year is not None
    assert 1 <= (now.year * 12 + now.month) - (year * 12 + month) <= 12


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("today", (2026, 11, 21)),
        ("what did we ship yesterday?", (2026, 11, 20)),
        ("a month ago", (2026, 10, None)),
        ("eleven months ago? no: 11 months ago", (2025, 12, None)),
        ("two years ago", (2024, None, None)),
        ("last month", (2026, 10, None)),
        ("this year", (2026, None, None)),
        ("last year", (2025, None, None)),
        ("in May last year", (2025, 5, None)),
        ("this June", (2026, 6, None)),
        ("last 30 November", (2025, 11, 30)),
        ("last Friday", (2026, 11, 20)),
        ("on Saturday", (2026, 11, 14)),
        ("since Sun", (2026, 11, 15)),
        ("summer 2021", (2021, None, None)),
        ("was the May rollout worse?", (None, 5, None)),
        ("last may", (2026, 5, None)),
        ("from 11-15 August 2023", (2023, 8, None)),
        ("what broke in november", (None, 11, None)),
        ("dec 5", (None, 12, 5)),
    ],
)
def test_relative_and_partial_dates(query: str, expected: tuple[int | None, ...]) -> None:
    """What is left open is filled from now only where the words ask for it."""
    named = named_dates(query, NOW)
    assert named is not None
    assert named.dates == (expected,)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "May I restart the writer?",
        "It broke. May we retry?",
        "step 8 may fail",
        "may 8 agents deploy at once?",
        "this may be slow",
        "march the pods to node 3",
        "what did jan deploy?",
        "dries in the sun",
        "runs on sun servers",
        "sat on the queue",
        "is CVE-2023-05-08 fixed?",
        "what listens on port 2023",
        "roll out v1.8.2023",
        "id 2023-05ab",
        "mayor of Augusta, decimal, marching, monday_report",
        "a week of uptime, every year",
        "the other day",
        "a few days ago",
        "every Monday",
        "good morning",
        "this Friday",
        "hier ist der Fehler",
        "for 3 days",
        "what blocked the last rollout?",
    ],
)
def test_what_only_looks_like_a_date_is_none(query: str) -> None:
    """Verbs, names, versions and numbers name no date."""
    assert named_dates(query, NOW) is None


@untimed
@given(one=dates, two=dates, other=dates)
def test_two_dates_match_either(one: date, two: date, other: date) -> None:
    """Two named dates are both looked for, and no third."""
    assume(one != two)
    named = named_dates(f"between {name(one)} {one.day}, {one.year} and {two:%Y-%m-%d}", NOW)
    assert named is not None
    assert named.matches(at(one))
    assert named.matches(at(two))
    assert named.matches(at(other)) == (other in (one, two))


def test_a_date_named_twice_counts_once() -> None:
    """Repeats do not add up."""
    named = named_dates("8 May 2022, that is 2022-05-08", NOW)
    assert named is not None
    assert named.dates == (NamedDate(2022, 5, 8),)


words = st.sampled_from(
    (
        *("in", "on", "of", "the", "last", "this", "before", "may", "March", "Jan", "Sun", "8"),
        *("8th", "31", "2023", "two", "days", "week", "year", "ago", "yesterday", "İ", ",", "-"),
    )
)


@untimed
@given(st.one_of(st.text(max_size=80), st.lists(words, max_size=15).map(" ".join)), moments)
def test_any_text_is_read(query: str, now: datetime) -> None:
    """No text makes it raise, and what it names can be compared."""
    named = named_dates(query, now)
    assert named is None or named.matches(now) in (True, False)


@pytest.mark.parametrize(
    ("query", "back"),
    [
        ("what failed tonight?", [0]),
        ("what broke this morning?", [0]),
        ("what ran last night?", [1]),
        ("the day before yesterday", [2]),
        ("what is due tomorrow?", [-1]),
        ("what broke on Thursday night?", [2]),
        ("Monday morning's rollout", [5]),
        ("the last 3 days", [0, 1, 2, 3]),
        ("over the past week", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("last weekend", [7, 6]),
        ("this weekend", [0, -1]),
        ("was fiel gestern aus?", [1]),
        ("¿qué falló anteayer?", [2]),
        ("qu'est-ce qui a échoué hier ?", [1]),
        ("что упало вчера?", [1]),
        ("昨天什么失败了", [1]),
        ("一昨日の障害は？", [2]),
        ("어제 무엇이 멈췄나요", [1]),
        ("आज क्या हुआ", [0]),
    ],
)
def test_days_beside_today(query: str, back: list[int]) -> None:
    """The forms that name days against the present one, in several languages."""
    named = named_dates(query, NOW)
    assert named is not None
    days = [NOW.date() - timedelta(days=each) for each in back]
    assert named.dates == tuple(NamedDate(day.year, day.month, day.day) for day in days)
