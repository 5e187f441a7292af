"""Findings: one content is one finding, whoever posts it, in whichever order."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from pinak_ray.agents.board.thinking.contradiction_state import open_contradictions
from pinak_ray.agents.board.thinking.finding_state import Finding, finding_id, finding_with, united
from pinak_ray.agents.board.thinking.question_state import Question, question_named
from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.findings import FindingDetails, PostFinding, Source
from pinak_ray.records.board.questions import QuestionStatus
from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.memories import expiry
from pinak_ray.records.state.owners import EntryKind

__all__ = ["bear_on", "post_finding"]


def post_finding(log: EntryLog, command: PostFinding, call: Call) -> Decision:
    """Add a finding, or unite it with the one of the same content.

    Its questions are answered in part by it. Raises NotFound for a question that is not here.
    """
    questions = [question_named(log, name, call.now) for name in command.questions]
    posted = _details(command, questions)
    expires_at = expiry(call.now, command.ttl_s)
    id_ = finding_id(command.content)
    try:
        held = finding_with(log, id_, call.now)
    except NotFound:
        new = posted.model_dump(mode="json", exclude_defaults=True)
        draft = Draft(EntryKind.FINDING, command.content, new, id_, expires_at=expires_at)
        return Decision((draft, *bear_on(log, id_, posted, questions, call.now)))
    posted = posted.model_copy(update={"found_by": (call.author,)})
    details = united(held.details, posted, held.entry.author)
    until = _later(held.entry.expires_at, expires_at)
    if details == held.details and until == held.entry.expires_at:
        return Decision(held=held.entry)
    finding = Finding(held.entry._replace(expires_at=until), details)
    questions = [question_named(log, each, call.now) for each in details.questions]
    touched = bear_on(log, id_, details, questions, call.now)
    return Decision((finding.draft(), *touched), held=held.entry)


def bear_on(
    log: EntryLog,
    finding: UUID,
    details: FindingDetails,
    questions: Sequence[Question],
    now: datetime,
) -> list[Draft]:
    """Return what changes where a finding of these details bears on these questions."""
    if details.refuted_by is not None or not questions:
        return []
    disputes = [c for c in open_contradictions(log, now) if finding in c.details.findings]
    drafts = []
    ids = set()
    for question in questions:
        ids.add(question.entry.id)
        after = question.having(
            reached=QuestionStatus.PARTIAL,
            found=max(question.details.found, details.confidence),
            in_conflict=question.details.in_conflict or bool(disputes),
        )
        if after.changed:
            drafts.append(after.draft())
    wider = [(dispute, dispute.about(ids)) for dispute in disputes]
    return drafts + [after.draft() for before, after in wider if after != before]


def _details(command: PostFinding, questions: Iterable[Question]) -> FindingDetails:
    sources: tuple[Source, ...] = ()
    if command.source_url is not None:
        sources = (Source(url=command.source_url, title=command.source_title),)
    return FindingDetails(
        type=command.type,
        confidence=command.confidence,
        verified=command.verified,
        sources=sources,
        questions=tuple(sorted({question.entry.id for question in questions})),
        **command.details,
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later end of two lives, of which None is none."""
    return None if one is None or other is None else max(one, other)
