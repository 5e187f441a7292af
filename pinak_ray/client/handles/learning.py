"""What stays of a task: the verbs that make memories of boards and scratchpads."""

from dataclasses import dataclass
from uuid import UUID

from pinak_ray.client.handles.board.base import BoardBase
from pinak_ray.client.handles.handle import Handle
from pinak_ray.client.handles.scratchpad.base import ScratchpadBase
from pinak_ray.client.verbs import verb
from pinak_ray.records.asking import asked
from pinak_ray.records.memory.promotion import MIN_CONFIDENCE, Promote, new_promote
from pinak_ray.records.memory.templates import (
    MIN_QUALITY,
    Distill,
    FindTemplates,
    TellOutcome,
)
from pinak_ray.records.state.owners import Owner, Space

__all__ = ["BoardLearning", "ScratchpadLearning", "TemplateVerbs"]


@dataclass(frozen=True, slots=True, repr=False)
class BoardLearning(BoardBase):
    """What a team learned."""

    @verb
    def promote(
        self, *, author: str, min_confidence: float = MIN_CONFIDENCE, session: str | None = None
    ) -> Promote:
        """Make semantic memories of the board's findings, each once; returns a Promotion.

        Of those at least so sure that are neither refuted nor in a contradiction that is not
        resolved. The memories are their finders', say where they come from, and are linked: those
        of one question, and a finding with the one that it refuted. Again, it promotes what is new
        since, revises the memory of a finding that says something else now, and completes what an
        error cut off. A finding that a memory of this namespace says already is not stored again.
        """
        return new_promote(self.owner, author, min_confidence=min_confidence, session=session)


@dataclass(frozen=True, slots=True, repr=False)
class ScratchpadLearning(ScratchpadBase):
    """What an agent learned."""

    @verb
    def promote(
        self,
        *,
        min_confidence: float = MIN_CONFIDENCE,
        min_quality: float = 0.0,
        session: str | None = None,
    ) -> Promote:
        """Make episodic memories of steps of reasoning, each once; returns a Promotion.

        Of those at least so sure that nothing contradicts, nor what they rest on; and of none if
        the scratchpad's quality is below `min_quality`. A step is linked to its premises, and to
        the first step on the same question. Otherwise as a board's `promote`.
        """
        return new_promote(
            self.owner,
            self.name,
            min_confidence=min_confidence,
            min_quality=min_quality,
            session=session,
        )

    @verb
    def distill(
        self,
        problem: str,
        *,
        quality: float | None = None,
        min_quality: float = MIN_QUALITY,
        after: int = 0,
    ) -> Distill:
        """Make a thought template of the trajectory past `after`, once; returns a Distilled.

        The steps that failed are left out, and slots like `{path_1}` take the place of numbers,
        paths and names. A template that says nearly the same gets one more success instead. Below
        `min_quality` there is none; `quality` is the scratchpad's own unless you judge it. Raises
        InvalidInput where no step succeeded.
        """
        given = {"quality": quality, "min_quality": min_quality, "after": after}
        return asked(Distill, self.owner, problem=problem, **given)


@dataclass(frozen=True, slots=True, repr=False)
class TemplateVerbs(Handle):
    """Plans that worked, for an agent that has a problem."""

    @verb
    def templates(self, problem: str, *, k: int = 3) -> FindTemplates:
        """Find up to `k` thought templates for a problem; returns Templates, best first.

        By similarity times the chance that they work; one that was never used is taken to work
        half of the time. One that mostly failed is marked as failing, and comes last.
        """
        return asked(FindTemplates, self.swarm.namespace_id, problem=problem, k=k)

    @verb
    def template_used(self, template: UUID | str, success: bool, *, run: str) -> TellOutcome:
        """Say how a run ended that used a template; returns a ToldOutcome with all its runs.

        `run` names it: told again it counts once, and the last word holds. Raises NotFound where
        there is no such template.
        """
        owner = Owner(self.swarm.namespace_id, Space.AGENT, self.name)
        return asked(TellOutcome, owner, template=template, success=success, run=run)
