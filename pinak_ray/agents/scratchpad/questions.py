"""A scratchpad's own questions: asked, borne upon, answered."""

from datetime import datetime
from uuid import UUID

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import (
    MAX_REMEMBERED,
    added,
    again,
    ids_of,
    share_of,
    text_of,
)
from pinak_ray.agents.scratchpad.graph import Graph, graph_of
from pinak_ray.agents.scratchpad.parts import check_known
from pinak_ray.records.errors import Conflict
from pinak_ray.records.scratchpad.parts import (
    AnswerOnScratchpad,
    AskOnScratchpad,
    ScratchpadQuestion,
    ScratchpadQuestions,
    ScratchpadQuestionsAnswer,
    ScratchpadQuestionStatus,
)
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["answer_question", "ask", "questions_of", "show_questions"]


def ask(log: EntryLog, command: AskOnScratchpad, call: Call) -> Decision:
    """Add a question."""
    details = {"criteria": command.criteria}
    return added(log, call, EntryKind.QUESTION, command.content, details)


def answer_question(log: EntryLog, command: AnswerOnScratchpad, call: Call) -> Decision:
    """Give a question an answer, unless it has one that is surer."""
    question = log.get(EntryKind.QUESTION, command.question, now=call.now)
    told_by = ids_of(question.details, "told_by")
    if call.id in told_by:
        return Decision(held=question)
    check_known(log, command.sources, call.now)
    held = share_of(question.details, "confidence", 0.0)
    if text_of(question.details, "answer") is not None and held > command.confidence:
        raise Conflict(f"question {question.id} has an answer of confidence {held:g}, a surer one")
    details = {
        **question.details,
        "answer": command.content,
        "confidence": command.confidence,
        "sources": command.sources,
        "told_by": (*told_by, call.id)[-MAX_REMEMBERED:],
    }
    return Decision((again(question, details),))


def show_questions(
    log: EntryLog, view: ScratchpadQuestions, now: datetime
) -> ScratchpadQuestionsAnswer:
    """Return the questions that are so far."""
    questions = questions_of(log, graph_of(log, now), now)
    return ScratchpadQuestionsAnswer(
        questions=tuple(each for each in questions if view.status in (None, each.status))
    )


def questions_of(log: EntryLog, graph: Graph, now: datetime) -> list[ScratchpadQuestion]:
    """Return every question, with what bears on it."""
    bearing: dict[UUID, list[UUID]] = {}
    for id_, node in graph.nodes.items():
        for question in ids_of(node.entry.details, "question"):
            bearing.setdefault(question, []).append(id_)
    return [
        _question(graph, entry, bearing.get(entry.id, []))
        for entry in log.of_kind(EntryKind.QUESTION, now=now)
    ]


def _question(graph: Graph, entry: Entry, bearing: list[UUID]) -> ScratchpadQuestion:
    details = entry.details
    answer = text_of(details, "answer")
    if answer is not None:
        status = ScratchpadQuestionStatus.ANSWERED
    elif any(map(graph.contradicted, bearing)):
        status = ScratchpadQuestionStatus.CONFLICT
    else:
        status = (
            ScratchpadQuestionStatus.PARTIAL if bearing else ScratchpadQuestionStatus.UNANSWERED
        )
    return ScratchpadQuestion(
        id=entry.id,
        content=entry.content,
        criteria=text_of(details, "criteria"),
        status=status,
        answer=answer,
        confidence=share_of(details, "confidence", 0.0) if answer is not None else 0.0,
        bearing=tuple(bearing),
    )
