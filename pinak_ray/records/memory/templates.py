"""Thought templates (Buffer of Thoughts): plans that worked, without the values of their day."""

from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import Field

from pinak_ray.records.commands import Answer
from pinak_ray.records.fields import Confidence, Id, Name, Question, Seq
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


@wired(
    Place.COMPOSED,
    "POST /v1/agents/{agent}/scratchpad/distill",
    writes=True,
    tag="scratchpad",
)
class Distill(Operation[Distilled], frozen=True):
    """Make a template of what succeeded in an agent's trajectory, once; safe to repeat."""

    owner: Owner
    problem: Annotated[Question, Field(description="What is to be solved.")]
    quality: Annotated[
        Confidence | None, Field(description="Your judgement; the scratchpad's own if absent.")
    ] = None
    min_quality: Confidence = MIN_QUALITY
    after: Annotated[Seq, Field(description="The steps past this sequence number.")] = 0


@wired(Place.COMPOSED, "POST /v1/templates", tag="templates")
class FindTemplates(Operation[Templates], frozen=True):
    """Find the templates for a problem, by similarity and by how often they worked."""

    namespace_id: int
    problem: Annotated[Question, Field(description="What is to be solved.")]
    k: Annotated[int, Field(strict=True, ge=1, le=MAX_TEMPLATES)] = 3


@wired(
    Place.SEARCH,
    "POST /v1/templates/{template}/outcomes",
    writes=True,
    tag="templates",
    created=True,
)
class TellOutcome(Operation[ToldOutcome], frozen=True):
    """Say how a run ended that used a template; said again, the last word counts, once."""

    owner: Owner
    template: Id
    success: Annotated[bool, Field(strict=True)]
    run: Annotated[Name, Field(description="Names the run: told again, it counts once.")]


@wired(Place.SEARCH, unrouted="a step of find_templates")
class ReadOutcomes(Operation[tuple[Outcomes, ...]], frozen=True):
    """Read what came of the runs that used these templates, in their order."""

    namespace_id: int
    templates: tuple[UUID, ...]
