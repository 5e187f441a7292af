"""Questions: asked once, answered step by step, and never demoted."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from pinak_ray.agents.board.thinking.action_state import asked_action, withdrawn
from pinak_ray.agents.board.thinking.finding_state import Finding, finding_with, findings_of, united
from pinak_ray.agents.board.thinking.findings import bear_on
from pinak_ray.agents.board.thinking.question_state import (
    Question,
    QuestionDetails,
    question_named,
    questions_of,
)
from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.language.wording import alike, normalised
from pinak_ray.records.board.findings import FindingDetails
from pinak_ray.records.board.questions import (
    AnswerQuestion,
    Ask,
    PartlyAnswer,
    QuestionStatus,
    SearchQuestion,
    SimilarQuestion,
    SimilarQuestionAnswer,
)
from pinak_ray.records.errors import Conflict, InvalidInput
from pinak_ray.records.limits import MAX_LABELS
from pinak_ray.records.state.owners import EntryKind

__all__ = [
    "answer",
    "ask",
    "findings_by_question",
    "partly_answer",
    "search",
    "show_similar_question",
]

_QUESTIONS = UUID("6f0a4b2e-3b5c-5d1e-9a51-0c3a5d1f8e02")
_CRITERIA = "At least one finding answers it, and none contradicts it."
_GAP_PRIORITY = 2
# Of questions with that many words in common nearly all mean the same; memOS used it too.
_ALIKE = 0.7


def ask(log: EntryLog, command: Ask, call: Call) -> Decision:
    """Ask a question; the one that was asked in the same words is found instead.

    Raises Conflict where the key is that of another question, or the question has another key.
    """
    id_ = uuid5(_QUESTIONS, normalised(command.text))
    named = command.key and log.keyed(EntryKind.QUESTION, command.key, now=call.now)
    if named and named.id != id_:
        raise Conflict(f"{command.key!r} is the key of another question: {named.content}")
    if id_ not in log.entries:
        details = QuestionDetails(criteria=command.criteria or _CRITERIA).model_dump(mode="json")
        return Decision((Draft(EntryKind.QUESTION, command.text, details, id_, command.key),))
    held = question_named(log, id_, call.now)
    if command.key in (None, held.entry.key):
        return Decision(held=held.entry)
    if held.entry.key is not None:
        raise Conflict(f"this was asked before, under the key {held.entry.key!r}")
    return Decision((held._replace(entry=held.entry._replace(key=command.key)).draft(),))


def search(log: EntryLog, command: SearchQuestion, call: Call) -> Decision:
    """Mark a question as searched, if nothing is known of it."""
    question = question_named(log, command.question, call.now)
    if question.details.reached is not QuestionStatus.UNANSWERED:
        return Decision(held=question.entry)
    after = question.having(reached=QuestionStatus.SEARCHING, searched_by=call.author)
    return Decision((after.draft(),))


def answer(log: EntryLog, command: AnswerQuestion, call: Call) -> Decision:
    """Answer a question; what was said of its gaps is settled. Findings bear on it from now on."""
    question = question_named(log, command.question, call.now)
    findings = [finding_with(log, id_, call.now) for id_ in command.findings]
    before = question.details
    if (
        before.reached is QuestionStatus.ANSWERED
        and before.answered_by != call.author
        and before.said >= command.confidence
    ):
        return Decision(held=question.entry)
    linked, disputes = _linked(log, question, findings, call.now)
    found = [f.details.confidence for f in findings if f.details.refuted_by is None]
    after = question.having(
        reached=QuestionStatus.ANSWERED,
        in_conflict=before.in_conflict or bool(disputes),
        said=command.confidence,
        found=max([before.found, *found]),
        gaps=(),
        answer=command.text,
        answered_by=call.author,
        evidence=tuple(sorted(set(command.findings))),
    )
    if not after.changed:
        return Decision(held=question.entry)
    done = withdrawn(log, "question", question.entry.id, "the question is answered", call)
    return Decision((after.draft(), *linked, *disputes, *done))


def partly_answer(log: EntryLog, command: PartlyAnswer, call: Call) -> Decision:
    """Note what an answer lacks yet; of an answered question nothing changes."""
    question = question_named(log, command.question, call.now)
    before = question.details
    if before.reached is QuestionStatus.ANSWERED:
        return Decision(held=question.entry)
    gaps: dict[str, str] = {}
    for gap in (*before.gaps, *command.gaps):
        gaps.setdefault(normalised(gap), gap)
    new = [*gaps.values()][len(before.gaps) :]
    if len(gaps) > MAX_LABELS:
        raise InvalidInput(f"a question has {MAX_LABELS} gaps at most; ask some as questions")
    after = question.having(
        reached=QuestionStatus.PARTIAL,
        said=max(before.said, command.confidence),
        gaps=tuple(gaps.values()),
    )
    if not after.changed:
        return Decision(held=question.entry)
    id_ = question.entry.id
    actions = [
        asked_action(
            log,
            call,
            place,
            "fill_gap",
            _GAP_PRIORITY,
            {"question": str(id_), "gap": gap},
            uuid5(id_, normalised(gap)),
        )
        for place, gap in enumerate(new)
    ]
    return Decision((after.draft(), *actions))


def show_similar_question(
    log: EntryLog, view: SimilarQuestion, now: datetime
) -> SimilarQuestionAnswer:
    """Return the question most like a text; of several as much alike the oldest."""
    best, similarity = None, 0.0
    for question in questions_of(log, now):
        share = alike(view.text, question.entry.content)
        if share >= _ALIKE and share > similarity:
            best, similarity = question, share
    if best is None:
        return SimilarQuestionAnswer(question=None, similarity=0.0)
    findings = findings_by_question(log, now)[best.entry.id]
    return SimilarQuestionAnswer(question=best.shown(findings), similarity=similarity)


def findings_by_question(log: EntryLog, now: datetime) -> Mapping[UUID, int]:
    """Return how many findings bear on each question."""
    return Counter(id_ for finding in findings_of(log, now) for id_ in finding.details.questions)


def _linked(
    log: EntryLog, question: Question, findings: list[Finding], now: datetime
) -> tuple[list[Draft], list[Draft]]:
    """Return the findings that did not bear on the question, as they shall be, and whose
    contradictions are about it from now on."""
    id_ = question.entry.id
    linked, disputes = [], {}
    for finding in findings:
        if id_ in finding.details.questions:
            continue
        more = FindingDetails(questions=(id_,))
        after = finding._replace(details=united(finding.details, more, finding.entry.author))
        linked.append(after.draft())
        for draft in bear_on(log, finding.entry.id, after.details, [question], now):
            if draft.kind is EntryKind.CONTRADICTION:
                disputes[draft.id] = draft
    return linked, list(disputes.values())
