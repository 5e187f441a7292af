"""Thought templates (Buffer of Thoughts): plans that worked, without the values of their day."""

from typing import Any, NamedTuple
from uuid import UUID

from pinak_ray.records.commands import Answer
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_SEQ,
    check_id,
    check_name,
    check_number,
    check_text,
    check_whole,
)
from pinak_ray.records.memory.recall import MAX_QUERY_BYTES
from pinak_ray.records.state.owners import Owner
from pinak_ray.records.wiring import Operation, Place, wired

__all__ = [
    "MAX_TEMPLATES",
    "MIN_QUALITY",
    "TEMPLATE_TAG",
    "Distill",
    "Distilled",
    "FindTemplates",
    "Outcomes",
    "ReadOutcomes",
    "TellOutcome",
    "Template",
    "TemplateRecord",
    "Templates",
    "ToldOutcome",
    "new_distill",
    "new_find_templates",
    "new_outcome",
]

TEMPLATE_TAG = "template"
"""On the memories that are templates."""
# The bar of Buffer of Thoughts as memOS had it.
MIN_QUALITY = 0.75
# A prompt with more plans than this in it has none.
MAX_TEMPLATES = 20
# Enough for a run's verdict to be more than luck: five failures in a row of a template that works
# half of the time are one in 32.
_ENOUGH_RUNS = 5
_FAILING_RATE = 0.4


class Outcomes(NamedTuple):
    """How many runs used a template, and how many of them succeeded."""

    runs: int = 0
    successes: int = 0

    @property
    def expected_rate(self) -> float:
        """The chance that the next run succeeds, by Laplace's rule of succession; in (0, 1)."""
        return (self.successes + 1) / (self.runs + 2)

    @property
    def failing(self) -> bool:
        """True once enough runs were told of and too few of them succeeded."""
        return self.runs >= _ENOUGH_RUNS and self.successes < _FAILING_RATE * self.runs

    def record(self) -> dict[str, Any]:
        """Return the fields of a TemplateRecord, its id left out."""
        return {
            **self._asdict(),
            "expected_rate": self.expected_rate,
            "failing": self.failing,
        }


class TemplateRecord(Answer):
    """What is known of a template's runs."""

    id: UUID
    runs: int
    successes: int
    expected_rate: float
    """(successes + 1) / (runs + 2)."""
    failing: bool
    """Too few of enough runs succeeded: it comes behind all others."""


class ToldOutcome(TemplateRecord):
    """A template's runs, with the one that was told of."""

    new: bool
    """Nothing had been said of this run before."""


class Template(TemplateRecord):
    """A template that may fit a problem."""

    problem: str
    """What it is for, with slots like `{path_1}` for values."""
    steps: tuple[str, ...]
    slots: dict[str, str]
    """By slot, the value that it had where it was distilled from."""
    similarity: float
    """Of the problem and this one's, from 0 to 1."""
    score: float
    """similarity * expected_rate."""


class Templates(Answer):
    """Templates, best first; failing ones last."""

    templates: tuple[Template, ...]


class Distilled(Answer):
    """What became of a trajectory. Without a template its quality was below the bar."""

    template: UUID | None
    new: bool = False
    """A template was stored: neither was this trajectory distilled before, nor a like one."""
    merged: bool = False
    """It counts as a success of a template that says nearly the same."""
    quality: float
    problem: str = ""
    steps: tuple[str, ...] = ()
    slots: dict[str, str]
    left_out: int = 0
    """Steps that failed."""


@wired(Place.COMPOSED, "POST /v1/agents/{agent}/scratchpad/distill", writes=True)
class Distill(Operation[Distilled], frozen=True):
    """Make a template of an agent's trajectory, once; `quality` None: the scratchpad's own."""

    owner: Owner
    problem: str
    quality: float | None
    min_quality: float
    after: int


@wired(Place.COMPOSED, "POST /v1/templates")
class FindTemplates(Operation[Templates], frozen=True):
    """Find the templates that fit a problem and worked."""

    namespace_id: int
    problem: str
    k: int


@wired(Place.SEARCH, "POST /v1/templates/{template}/outcomes", writes=True)
class TellOutcome(Operation[ToldOutcome], frozen=True):
    """Say how a run ended that used a template; said again, the last word counts, once."""

    owner: Owner
    template: UUID
    success: bool
    run: str


@wired(Place.SEARCH, unrouted="a step of find_templates")
class ReadOutcomes(Operation[tuple[Outcomes, ...]], frozen=True):
    """Read what came of the runs that used these templates, in their order."""

    namespace_id: int
    templates: tuple[UUID, ...]


def new_distill(
    owner: Owner,
    problem: str,
    *,
    quality: float | None = None,
    min_quality: float = MIN_QUALITY,
    after: int = 0,
) -> Distill:
    """Return the checked operation; raises InvalidInput."""
    if quality is not None:
        quality = check_number("quality", quality, low=0.0, high=1.0)
    return Distill(
        owner,
        check_text("problem", problem, limit=MAX_QUERY_BYTES),
        quality,
        check_number("min_quality", min_quality, low=0.0, high=1.0),
        check_whole("after", after, low=0, high=MAX_SEQ),
    )


def new_find_templates(namespace_id: int, problem: str, *, k: int = 3) -> FindTemplates:
    """Return the checked operation; raises InvalidInput."""
    checked = check_text("problem", problem, limit=MAX_QUERY_BYTES)
    return FindTemplates(namespace_id, checked, check_whole("k", k, low=1, high=MAX_TEMPLATES))


def new_outcome(owner: Owner, template: UUID | str, success: bool, run: str) -> TellOutcome:
    """Return the checked operation; raises InvalidInput."""
    if not isinstance(success, bool):
        raise InvalidInput("success must be true or false")
    return TellOutcome(owner, check_id("template", template), success, check_name("run", run))
