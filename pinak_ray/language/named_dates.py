"""Which dates a query names: in full, in part ("in May", "in 2023") or against now ("last week").

English, but for "today" and its neighbours. A date in digits has its year first (2023-05-08), for
5/8/2023 is two days in two countries. What stands before a date changes nothing: "before 8 May"
names 8 May. Nor does a form that is not known: "the other day" names none.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from pinak_ray.language.day_words import days_back

__all__ = ["NamedDate", "NamedDates", "named_dates"]


class NamedDate(NamedTuple):
    """A calendar date of which a query names at least one part; None is any."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def matches(self, moment: datetime) -> bool:
        """Return whether every named part is that of `moment` in its own time zone."""
        return (
            (self.year is None or self.year == moment.year)
            and (self.month is None or self.month == moment.month)
            and (self.day is None or self.day == moment.day)
        )


@dataclass(frozen=True, slots=True)
class NamedDates:
    """All dates that a query names, at least one, without repeats; a week is its seven days."""

    dates: tuple[NamedDate, ...]

    def matches(self, moment: datetime) -> bool:
        """Return whether `moment`, in its own time zone, is of any of the dates."""
        return any(one.matches(moment) for one in self.dates)


_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NEAR = {"today": 0, "tonight": 0, "tomorrow": -1, "yesterday": 1}
# As verbs they may follow a number ("step 8 may fail") or stand alone.
_VERBS = ("may", "march")

_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?!\w|[-–.:/]\d)"
_PART = r"(?:morning|afternoon|evening|night)\b"
_YEAR = r"(?:19|20)\d\d(?![\w-]|[.,:/]\d)"
# For text in lower case: ignoring case here would make it slower by half and more. The set of first
# letters spares many words the alternatives.
_DATE = re.compile(
    rf"""
    (?<![\w.:/–-])
    (?: (?P<lead>in|on|of|since|during|from|by|until|before|after|early|late|last|this|past|previous
          |year|spring|summer|autumn|fall|winter) \s+ (?:the\s+)? )?
    (?=[\dadefjmnostwy])
    (?: (?: (?P<day_before>{_DAY}) \s+ (?:of\s+)? )?
        (?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?
          |sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?) \b \.?
        (?: \s+ (?:the\s+)? (?P<day_after>{_DAY}) )?
        (?: [\s,]+ (?:(?:of|in)\s+)?
            (?: (?P<month_year>{_YEAR}) | (?P<which>last|this) \s+ year\b ) )?
    | (?P<iso_year>(?:19|20)\d\d) [-/] (?P<iso_month>0[1-9]|1[0-2])
        (?: [-/] (?P<iso_day>0[1-9]|[12]\d|3[01]) )? (?: (?=t\d) | (?![-/]?\w) )
    | (?P<year>{_YEAR})
    | (?P<unit>week|month|year) \b
    | (?P<weekday>(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun) \b
        (?P<in_part> \s+ {_PART} )?
    | (?P<weekend>weekend) \b
    | (?P<part>{_PART})
    | (?P<count>\d{{1,3}}|an?|{"|".join(_COUNTS)}) \s+ (?P<ago>day|week|month|year)s? \s+ ago\b
    | (?P<many>\d{{1,2}}|{"|".join(_COUNTS)}) \s+ (?P<spans>day|week|month|year)s? \b
    | (?P<near>today|tonight|tomorrow|day\s+before\s+yesterday|(?<!before\ )yesterday) \b
    )
    """,
    re.VERBOSE,
)


def named_dates(query: str, now: datetime) -> NamedDates | None:
    """Return the dates that `query` names, "yesterday" and the like against `now`, or None.

    `now` and the moments compared later belong in one time zone. Weeks are those of ISO 8601, from
    Monday; "last Friday" and "last May" are the latest before the present day or month.
    """
    said = query.lower()
    named = [_dates(found, query, now) for found in _DATE.finditer(said)]
    named += [_before(now, days, "day") for days in days_back(said)]
    dates = tuple(dict.fromkeys(one for some in named for one in some))
    return NamedDates(dates) if dates else None


def _dates(found: re.Match[str], query: str, now: datetime) -> list[NamedDate]:
    lead = found["lead"]
    if found["month"]:
        return [_of_month(found, now)] if _is_month(found, query) else []
    if found["iso_year"]:
        day = int(found["iso_day"]) if found["iso_day"] else None
        return [NamedDate(int(found["iso_year"]), int(found["iso_month"]), day)]
    if found["year"]:
        return [NamedDate(int(found["year"]))] if lead else []
    if found["weekday"]:
        leads = ("on", "last", "since", "previous")
        is_day = (lead in leads or found["in_part"]) and _is_weekday(found, query)
        behind = (now.weekday() - _WEEKDAYS.index(found["weekday"][:3]) - 1) % 7 + 1
        return _before(now, behind, "day") if is_day else []
    if found["ago"]:
        return _before(now, _number(found["count"]), found["ago"])
    if found["near"]:
        return _before(now, _NEAR.get(found["near"], 2), "day")
    return _led(found, now)


def _led(found: re.Match[str], now: datetime) -> list[NamedDate]:
    """Return the dates of what only a lead makes one: "last week", "this morning"."""
    lead, back = found["lead"], found["lead"] in ("last", "previous")
    if lead == "past" and found["unit"]:
        return _up_to(now, 1, found["unit"])
    if found["spans"]:
        is_span = back or lead == "past"
        return _up_to(now, _number(found["many"]), found["spans"]) if is_span else []
    if not (back or lead == "this"):
        return []
    if found["unit"]:
        return _before(now, back, found["unit"])
    if found["weekend"]:
        return _before(now, back, "week")[5:]
    is_day = lead == "this" or (lead == "last" and found["part"] == "night")
    return _before(now, back, "day") if is_day else []


def _is_month(found: re.Match[str], query: str) -> bool:
    """Tell the month from the verb (may, march) and from a name (Jan)."""
    word, day = found["month"], found["day_before"] or found["day_after"]
    if found["month_year"] or found["which"] or found["lead"] not in (None, "this"):
        return True
    if query[found.start("month") : found.end("month")].istitle():
        # A capital says nothing where a sentence begins.
        before = query[: found.start("month")].rstrip()[-1:]
        return bool(day) or before.isalnum() or before == ","
    return word not in _VERBS and (bool(day) or len(word) > 3)


def _is_weekday(found: re.Match[str], query: str) -> bool:
    """Tell the day from what is short for something else (sun, sat, wed)."""
    return found["weekday"].endswith("day") or query[found.start("weekday")].isupper()


def _of_month(found: re.Match[str], now: datetime) -> NamedDate:
    month = _MONTHS.index(found["month"][:3]) + 1
    digits = (found["day_before"] or found["day_after"] or "").rstrip("stndrh")
    day = int(digits) if digits else None
    if found["month_year"]:
        year = int(found["month_year"])
    elif found["which"]:
        year = now.year - (found["which"] == "last")
    elif found["lead"] == "last":
        year = now.year - ((month, day or now.day) >= (now.month, now.day))
    else:
        return NamedDate(now.year if found["lead"] == "this" else None, month, day)
    return NamedDate(year, month, day)


def _number(word: str) -> int:
    if word.isdecimal():
        return int(word)
    return 1 if word in ("a", "an") else _COUNTS.index(word) + 1


def _up_to(now: datetime, count: int, unit: str) -> list[NamedDate]:
    """Return all days, months or years from `count` units before `now`'s up to its own."""
    days, unit = (7 * count, "day") if unit == "week" else (count, unit)
    return [one for behind in range(days + 1) for one in _before(now, behind, unit)]


def _before(now: datetime, count: int, unit: str) -> list[NamedDate]:
    """Return the days of the day or week, or the month or year, `count` of them before `now`'s."""
    if unit == "year":
        return [NamedDate(now.year - count)]
    if unit == "month":
        year, month = divmod(now.year * 12 + now.month - 1 - count, 12)
        return [NamedDate(year, month + 1)]
    days = range(count, count + 1)
    if unit == "week":
        monday = now.weekday() + 7 * count
        days = range(monday, monday - 7, -1)
    ordinals = (now.toordinal() - day for day in days)
    spans = (date.fromordinal(one) for one in ordinals if 1 <= one <= date.max.toordinal())
    return [NamedDate(day.year, day.month, day.day) for day in spans]
