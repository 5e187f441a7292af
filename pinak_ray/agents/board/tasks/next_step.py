"""The next step: a cascade of rules, the most pressing first."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from pinak_ray.agents.board.notes import show_notes
from pinak_ray.agents.board.thinking.action_state import open_actions
from pinak_ray.agents.board.thinking.contradiction_state import open_contradictions
from pinak_ray.agents.board.thinking.question_state import Question, mean_confidence, questions_of
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.notes import Notes
from pinak_ray.records.board.progress import NextStep, NextStepAnswer, Step
from pinak_ray.records.board.questions import QuestionStatus
from pinak_ray.records.state.owners import EntryKind

__all__ = ["show_next_step"]

# Below it what was found is looked at again, from it on the board can be concluded; memOS's bound.
_SURE = 0.6
_RECENT_NOTES = 5
_STEPS = {QuestionStatus.UNANSWERED: Step.SEARCH, QuestionStatus.PARTIAL: Step.FILL_GAPS}


def show_next_step(log: EntryLog, view: NextStep, now: datetime) -> NextStepAnswer:
    """Return the first step that a rule asks for."""
    questions = questions_of(log, now)
    return next(
        chain(
            _pressing(log, now),
            _unanswered(questions),
            _recommended(log, view, now),
            _at_the_end(log, questions, now),
        )
    )


def _pressing(log: EntryLog, now: datetime) -> Iterator[NextStepAnswer]:
    for dispute in open_contradictions(log, now):
        yield _step(Step.RESOLVE, dispute.entry.content, dispute.entry.id)
    for action in open_actions(log, now):
        if not action.leased(now):
            yield _step(Step.ACT, action.entry.content, action.entry.id)


def _unanswered(questions: Sequence[Question]) -> Iterator[NextStepAnswer]:
    """Yield what nobody looks for, then what has gaps; what is searched is in somebody's hands."""
    for status, step in _STEPS.items():
        for question in questions:
            if question.details.status is status:
                yield _step(step, question.entry.content, question.entry.id)


def _recommended(log: EntryLog, view: NextStep, now: datetime) -> Iterator[NextStepAnswer]:
    for note in show_notes(log, Notes(reader=view.reader, limit=_RECENT_NOTES), now).notes:
        if note.recommendation is not None:
            yield _step(Step.FOLLOW, note.recommendation, note.id)


def _at_the_end(
    log: EntryLog, questions: Sequence[Question], now: datetime
) -> Iterator[NextStepAnswer]:
    confidence = mean_confidence(questions)
    if questions and confidence >= _SURE:
        yield _step(Step.CONCLUDE, f"the confidence is {confidence:.2f}")
    elif log.of_kind(EntryKind.FINDING, now=now):
        yield _step(Step.VERIFY, f"the confidence is {confidence:.2f}")
    else:
        yield _step(Step.ASK, "nothing was found")


def _step(step: Step, reason: str, about: UUID | None = None) -> NextStepAnswer:
    return NextStepAnswer(step=step, reason=reason, about=about)
