"""Contradictions: seen once, resolved once, with a record of how."""

from datetime import datetime
from uuid import UUID, uuid5

from pinak_ray.agents.board.thinking.action_state import asked_action, withdrawn
from pinak_ray.agents.board.thinking.contradiction_state import (
    Contradiction,
    ContradictionDetails,
    contradiction_with,
    open_contradictions,
)
from pinak_ray.agents.board.thinking.finding_state import Finding, finding_with, findings_of
from pinak_ray.agents.board.thinking.question_state import Question, question_named
from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.contradictions import Contradict, Resolve
from pinak_ray.records.errors import Conflict, InvalidInput, NotFound
from pinak_ray.records.limits import MAX_LABELS
from pinak_ray.records.state.owners import EntryKind

__all__ = ["contradict", "resolve"]

_CONTRADICTIONS = UUID("6f0a4b2e-3b5c-5d1e-9a51-0c3a5d1f8e03")
_PRIORITY = 1


def contradict(log: EntryLog, command: Contradict, call: Call) -> Decision:
    """Set two findings against each other; their questions are in conflict from now on."""
    if command.first == command.second:
        raise InvalidInput("a finding does not contradict itself; name two")
    pair = [finding_with(log, id_, call.now) for id_ in sorted((command.first, command.second))]
    first, second = pair[0].entry.id, pair[1].entry.id
    id_ = uuid5(_CONTRADICTIONS, f"{first} {second}")
    if id_ in log.entries:
        return Decision(held=log.entries[id_])
    details = ContradictionDetails(
        findings=(first, second),
        questions=tuple(sorted({q for finding in pair for q in finding.details.questions})),
    )
    said = details.model_dump(mode="json")
    new = Draft(EntryKind.CONTRADICTION, command.description, said, id_)
    crossed = [_against(pair[0], second), _against(pair[1], first)]
    questions = [question_named(log, question, call.now) for question in details.questions]
    struck = [question.having(in_conflict=True) for question in questions]
    about = {"contradiction": str(id_), "findings": [str(first), str(second)]}
    action = asked_action(
        log, call, 0, "resolve_contradiction", _PRIORITY, about, uuid5(id_, "action")
    )
    return Decision((new, *crossed, *(q.draft() for q in struck if q.changed), action))


def resolve(log: EntryLog, command: Resolve, call: Call) -> Decision:
    """End a contradiction: questions without another one are again what they were.

    Raises Conflict where it was resolved otherwise.
    """
    held = contradiction_with(log, command.contradiction, call.now)
    if command.kept not in (None, *held.details.findings):
        raise InvalidInput("kept must be one of the two findings that contradict each other")
    if not held.open:
        if (held.details.how, held.details.kept) != (command.how, command.kept):
            raise Conflict(f"{held.details.resolved_by} resolved this: {held.details.how}")
        return Decision(held=held.entry)
    record = {
        "how": command.how,
        "resolved_by": call.author,
        "resolved_at": call.now,
        "kept": command.kept,
    }
    resolved = held._replace(details=held.details.model_copy(update=record))
    refuted = _refuted(log, resolved, call.now)
    questions = _calmed(log, resolved, refuted, call.now)
    done = withdrawn(log, "contradiction", held.entry.id, f"resolved: {command.how}", call)
    losers = [] if refuted is None else [refuted.draft()]
    return Decision((resolved.draft(), *losers, *questions, *done))


def _against(finding: Finding, other: UUID) -> Draft:
    contradicts = tuple(sorted({*finding.details.contradicts, other}))
    if len(contradicts) > MAX_LABELS:
        raise InvalidInput(f"{finding.entry.id} contradicts {MAX_LABELS} findings, the limit")
    details = finding.details.model_copy(update={"contradicts": contradicts})
    return finding._replace(details=details).draft()


def _refuted(log: EntryLog, resolved: Contradiction, now: datetime) -> Finding | None:
    """Return the finding that was not kept, marked as refuted; None if both stand."""
    if resolved.details.kept is None:
        return None
    (id_,) = set(resolved.details.findings) - {resolved.details.kept}
    try:
        finding = finding_with(log, id_, now)
    except NotFound:  # expired meanwhile
        return None
    details = finding.details.model_copy(update={"refuted_by": resolved.entry.id})
    return finding._replace(details=details)


def _calmed(
    log: EntryLog, resolved: Contradiction, refuted: Finding | None, now: datetime
) -> list[Draft]:
    """Return its questions out of conflict where no other contradiction is about them.

    What a refuted finding was worth to them is gone.
    """
    others = [c for c in open_contradictions(log, now) if c.entry.id != resolved.entry.id]
    struck = {question for other in others for question in other.details.questions}
    questions = {id_: question_named(log, id_, now) for id_ in resolved.details.questions}
    changed: dict[UUID, Question] = {
        id_: question.having(in_conflict=id_ in struck) for id_, question in questions.items()
    }
    if refuted is not None:
        standing = [
            f
            for f in findings_of(log, now)
            if f.details.refuted_by is None and f.entry.id != refuted.entry.id
        ]
        for id_ in changed.keys() & set(refuted.details.questions):
            worth = [f.details.confidence for f in standing if id_ in f.details.questions]
            changed[id_] = changed[id_].having(found=max(worth, default=0.0))
    return [question.draft() for question in changed.values() if question.changed]
