"""Conflicts: memories that say another value, or another date, of one thing; the later one holds.

By the rules that tell a contradicted fact (`nudges/contradictions.py`), which rather miss one.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import combinations, islice, product
from typing import NamedTuple, Self
from uuid import UUID

from pinak_ray.language.contradictions import difference
from pinak_ray.language.named_dates import NamedDate, NamedDates, named_dates
from pinak_ray.language.values import values
from pinak_ray.language.words import sentences, stems
from pinak_ray.records.memory.grades import Conflict

__all__ = ["Statement", "conflicts"]

# So many memories are compared with one another, the most relevant ones, and so many sentences of
# each: 405 comparisons at most, of some 0.2 ms. Without bounds ten documents took seconds.
_COMPARED = 10
_SENTENCES = 3
# What a memory says of a plan; "the release was on 12 May" tells of another release.
_PLANNED = re.compile(
    r"\b(is|are|starts?|begins?|ends?|expires?|opens?|closes?|takes place|"
    r"due|scheduled|planned|set|moved|postponed|delayed|rescheduled)\b"
)
_OF_PLANS = frozenset({
    "was", "were", "due", "schedul", "plan", "set", "take", "place", "move", "postpon", "delay",
    "reschedul",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "januari", "februari", "march", "april", "may", "june", "juli", "august", "septemb", "octob",
    "novemb", "decemb",
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
})  # fmt: skip


class Statement(NamedTuple):
    """What one memory says, and of when it is."""

    id: UUID
    content: str
    occurred_at: datetime
    created_at: datetime


def conflicts(statements: Sequence[Statement]) -> tuple[Conflict, ...]:
    """Return what the first few statements disagree on, two by two, latest first."""
    facts = [_Facts.of(statement) for statement in statements[:_COMPARED]]
    facts.sort(key=lambda each: each.when, reverse=True)
    found = (
        (later, earlier, _valued(later, earlier) or _dated(later, earlier))
        for later, earlier in combinations(facts, 2)
    )
    return tuple(
        Conflict(later.statement.id, earlier.statement.id, differs)
        for later, earlier, differs in found
        if differs
    )


class _Valued(NamedTuple):
    sentence: str
    attributes: frozenset[str]


class _Plan(NamedTuple):
    sentence: str
    about: frozenset[str]
    dates: NamedDates


class _Facts(NamedTuple):
    """The first sentences of a statement that another one can say otherwise."""

    statement: Statement
    valued: tuple[_Valued, ...]
    plans: tuple[_Plan, ...]

    @classmethod
    def of(cls, statement: Statement) -> Self:
        said = list(sentences(statement.content))
        valued = (_Valued(each, frozenset(v.attribute for v in values(each))) for each in said)
        plans = (_plan(each, statement.occurred_at) for each in said)
        return cls(
            statement,
            tuple(islice((each for each in valued if each.attributes), _SENTENCES)),
            tuple(islice(filter(None, plans), _SENTENCES)),
        )

    @property
    def when(self) -> tuple[datetime, datetime, UUID]:
        return self.statement.occurred_at, self.statement.created_at, self.statement.id


def _plan(sentence: str, now: datetime) -> _Plan | None:
    dates = named_dates(sentence, now) if _PLANNED.search(sentence) else None
    if dates is None:
        return None
    about = frozenset(stem for stem in stems(sentence) - _OF_PLANS if not stem[0].isdigit())
    return _Plan(sentence, about, dates) if about else None


def _valued(later: _Facts, earlier: _Facts) -> str:
    for said, known in product(later.valued, earlier.valued):
        if said.attributes.isdisjoint(known.attributes):
            continue
        differs = difference(said.sentence, known.sentence)
        # A deed that goes against a prohibition is no other value of it.
        if differs and not differs.startswith("forbidden"):
            return differs
    return ""


def _dated(later: _Facts, earlier: _Facts) -> str:
    """Return how the dates of one plan differ; "" where they agree, or the plans are two."""
    for said, known in product(later.plans, earlier.plans):
        pairs = product(said.dates.dates, known.dates.dates)
        if said.about == known.about and not any(_agree(*pair) for pair in pairs):
            return f"{said.sentence!r}, known as {known.sentence!r}"
    return ""


def _agree(one: NamedDate, other: NamedDate) -> bool:
    """Tell whether both can be one day: what either leaves open agrees."""
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))
