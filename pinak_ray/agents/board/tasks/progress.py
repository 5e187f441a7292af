"""Progress: how far a board is, counted from its entries."""

from datetime import datetime

from pinak_ray.agents.board.tasks.views import show_tasks
from pinak_ray.agents.board.thinking.action_state import open_actions
from pinak_ray.agents.board.thinking.contradiction_state import open_contradictions
from pinak_ray.agents.board.thinking.question_state import mean_confidence, questions_of
from pinak_ray.agents.board.thinking.questions import findings_by_question
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.progress import Progress, ProgressAnswer
from pinak_ray.records.board.questions import QuestionStatus
from pinak_ray.records.board.tasks import Tasks
from pinak_ray.records.state.owners import EntryKind

__all__ = ["show_progress"]

# What memOS called complete.
_SURE = 0.7
_KNOWN = (QuestionStatus.PARTIAL, QuestionStatus.ANSWERED)


def show_progress(log: EntryLog, view: Progress, now: datetime) -> ProgressAnswer:
    """Return how far the board is."""
    questions, disputes = questions_of(log, now), open_contradictions(log, now)
    findings = findings_by_question(log, now)
    tasks = show_tasks(log, Tasks(), now)
    confidence = mean_confidence(questions)
    known = all(question.details.status in _KNOWN for question in questions)
    return ProgressAnswer(
        questions=tuple(q.shown(findings.get(q.entry.id, 0)) for q in questions[: view.limit]),
        asked=len(questions),
        findings=len(log.of_kind(EntryKind.FINDING, now=now)),
        contradictions=tuple(dispute.shown() for dispute in disputes[: view.limit]),
        open_contradictions=len(disputes),
        open_actions=len(open_actions(log, now)),
        tasks=tasks.progress if tasks.tasks else None,
        confidence=confidence,
        complete=confidence >= _SURE and known and not disputes,
    )
