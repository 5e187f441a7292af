"""A question as a value: its status rises and never falls, whatever comes in which order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, computed_field

from pinak_ray.agents.log.drafts import Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.questions import BoardQuestion, QuestionStatus
from pinak_ray.records.errors import NotFound
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["Question", "QuestionDetails", "mean_confidence", "question_named", "questions_of"]

_RANKS = {status: rank for rank, status in enumerate(QuestionStatus)}


class QuestionDetails(BaseModel):
    """What a question's entry has as details."""

    model_config = ConfigDict(frozen=True)

    criteria: str
    reached: QuestionStatus = QuestionStatus.UNANSWERED
    """How far it is but for contradictions; never `conflict`."""
    in_conflict: bool = False
    said: float = 0.0
    """The confidence of its answer, or of who answered it in part."""
    found: float = 0.0
    """The highest confidence of its findings."""
    searched_by: str | None = None
    gaps: tuple[str, ...] = ()
    answer: str | None = None
    answered_by: str | None = None
    evidence: tuple[UUID, ...] = ()
    """The findings that the answer rests on."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def status(self) -> QuestionStatus:
        """What all see."""
        return QuestionStatus.CONFLICT if self.in_conflict else self.reached

    @computed_field  # type: ignore[prop-decorator]
    @property
    def confidence(self) -> float:
        """The higher one of what was said and found."""
        return max(self.said, self.found)


class Question(NamedTuple):
    """A question's entry, and its details as they are or shall be."""

    entry: Entry
    details: QuestionDetails

    def having(self, *, reached: QuestionStatus | None = None, **changes: Any) -> "Question":
        """Return it with these details, `reached` only if that is further than it is."""
        if reached is not None and _RANKS[reached] > _RANKS[self.details.reached]:
            changes["reached"] = reached
        return self._replace(details=self.details.model_copy(update=changes))

    @property
    def changed(self) -> bool:
        """Whether it differs from its entry."""
        return self.details != QuestionDetails.model_validate_json(self.entry.encoded_details)

    def draft(self) -> Draft:
        """Return its entry as it shall be; it stays its asker's."""
        _, _, _, author, key, content, *_ = self.entry
        details = self.details.model_dump(mode="json")
        return Draft(EntryKind.QUESTION, content, details, self.entry.id, key, author=author)

    def shown(self, findings: int) -> BoardQuestion:
        """Return what callers see of it."""
        details = self.details
        return BoardQuestion(
            id=self.entry.id,
            key=self.entry.key,
            text=self.entry.content,
            author=self.entry.author,
            criteria=details.criteria,
            status=details.status,
            confidence=details.confidence,
            searched_by=details.searched_by,
            gaps=details.gaps,
            answer=details.answer,
            answered_by=details.answered_by,
            findings=findings,
        )


def question_named(log: EntryLog, name: UUID | str, now: datetime) -> Question:
    """Return the question of this id or key; raises NotFound."""
    entry = log.keyed(EntryKind.QUESTION, str(name), now=now)
    if entry is None:
        entry = log.get(EntryKind.QUESTION, _id_of(name), now=now)
    return _question_of(entry)


def _id_of(name: UUID | str) -> UUID:
    try:
        return name if isinstance(name, UUID) else UUID(name)
    except ValueError:
        raise NotFound(f"there is no question {name!r} here") from None


def questions_of(log: EntryLog, now: datetime) -> list[Question]:
    """Return all questions, the oldest first."""
    found = sorted(log.of_kind(EntryKind.QUESTION, now=now), key=lambda entry: entry.created_at)
    return [_question_of(entry) for entry in found]


def mean_confidence(questions: Sequence[Question]) -> float:
    """Return the mean confidence of questions, 0 without any."""
    if not questions:
        return 0.0
    # To a millionth: summed up, three times 0.7 by three is less than 0.7.
    return round(sum(each.details.confidence for each in questions) / len(questions), 6)


def _question_of(entry: Entry) -> Question:
    return Question(entry, QuestionDetails.model_validate_json(entry.encoded_details))
