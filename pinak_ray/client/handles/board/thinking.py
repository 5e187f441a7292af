"""How a team thinks on a board: questions, contradictions, the queue of actions, and progress."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pinak_ray.client.handles.board.base import BoardBase
from pinak_ray.client.verbs import verb
from pinak_ray.records.board.actions import (
    Actions,
    ActionsAnswer,
    FinishAction,
    PushAction,
    TakeAction,
    TakenAction,
)
from pinak_ray.records.board.contradictions import Contradict, Resolve
from pinak_ray.records.board.progress import (
    Markdown,
    MarkdownAnswer,
    NextStep,
    NextStepAnswer,
    Progress,
    ProgressAnswer,
)
from pinak_ray.records.board.questions import (
    AnswerQuestion,
    Ask,
    PartlyAnswer,
    SearchQuestion,
    SimilarQuestion,
    SimilarQuestionAnswer,
)
from pinak_ray.records.board.suspicions import Suspect
from pinak_ray.records.limits import check_id
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Execute, Query

__all__ = ["BoardThinking"]


@dataclass(frozen=True, slots=True, repr=False)
class BoardThinking(BoardBase):
    """The part of a board that questions, contradictions and actions are on."""

    @verb
    def ask(
        self,
        text: str,
        *,
        author: str,
        criteria: str | None = None,
        key: str | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Ask a question; returns a Receipt, not new where the same was asked before.

        `criteria` says when it counts as answered; `key` is a short name to use as its id. Raises
        Conflict where the key is that of another question.
        """
        return self._execute(
            Ask, author, idempotency_key, ack, text=text, criteria=criteria, key=key
        )

    @verb
    def search(
        self,
        question: UUID | str,
        *,
        author: str,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Say that the author looks for an answer; returns a Receipt. Raises NotFound."""
        return self._execute(SearchQuestion, author, idempotency_key, ack, question=str(question))

    @verb
    def partial(
        self,
        question: UUID | str,
        *,
        author: str,
        gaps: Iterable[str] = (),
        confidence: float = 0.5,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Say what an answer lacks yet; returns a Receipt. Raises NotFound.

        Each gap becomes an action of type `fill_gap`. Nothing changes once it is answered.
        """
        return self._execute(
            PartlyAnswer, author, idempotency_key, ack,
            question=str(question), gaps=gaps, confidence=confidence,
        )  # fmt: skip

    @verb
    def answer(
        self,
        question: UUID | str,
        text: str,
        *,
        author: str,
        confidence: float = 0.8,
        findings: Iterable[UUID | str] = (),
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Answer a question, by its id or key; returns a Receipt. Raises NotFound.

        `findings` are what the answer rests on. An answer gives way to one of higher confidence,
        or to its author's next one; another one changes nothing.
        """
        return self._execute(
            AnswerQuestion, author, idempotency_key, ack,
            question=str(question), text=text, confidence=confidence, findings=findings,
        )  # fmt: skip

    @verb
    def contradict(
        self,
        first: UUID | str,
        second: UUID | str,
        description: str,
        *,
        author: str,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Say that two findings cannot both hold; returns the contradiction's Receipt.

        Their questions are in conflict until it is resolved. Raises NotFound.
        """
        return self._execute(
            Contradict, author, idempotency_key, ack,
            first=first, second=second, description=description,
        )  # fmt: skip

    @verb
    def resolve(
        self,
        contradiction: UUID | str,
        how: str,
        *,
        author: str,
        kept: UUID | str | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """End a contradiction and record how; returns a Receipt.

        The finding that was not `kept` is refuted; both stand without one. Raises Conflict where it
        was resolved otherwise, and NotFound.
        """
        return self._execute(
            Resolve, author, idempotency_key, ack,
            contradiction=contradiction, how=how, kept=kept,
        )  # fmt: skip

    @verb
    def suspected(self, *, question: UUID | str | None = None) -> Suspect:
        """Look for contradictions between findings of one question, or of each, by rules.

        Returns a SuspectedAnswer; whether to `contradict` them is the caller's to say.
        """
        return Suspect(self.owner, None if question is None else check_id("question", question))

    @verb
    def push_action(
        self,
        type: str,
        *,
        author: str,
        priority: int = 5,
        details: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Put what is to be done into the queue, 0 the most urgent, 9 the least; a Receipt."""
        return self._execute(
            PushAction, author, idempotency_key, ack,
            type=type, priority=priority, details={} if details is None else details,
        )  # fmt: skip

    @verb
    def take_action(
        self,
        *,
        author: str,
        types: Iterable[str] = (),
        lease_s: float = 60.0,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[TakenAction]:
        """Take the most urgent action of these types; returns a TakenAction, whose `action` is None
        where there is none.

        Nobody else gets it for `lease_s` seconds; then, unless finished, it is in the queue again.
        """
        return self._execute(TakeAction, author, idempotency_key, ack, types=types, lease_s=lease_s)

    @verb
    def finish_action(
        self,
        action: UUID | str,
        outcome: str,
        *,
        author: str,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Say how an action ended that the author took; returns a Receipt.

        Raises Conflict where another agent has taken it since, and NotFound.
        """
        return self._execute(
            FinishAction, author, idempotency_key, ack, action=action, outcome=outcome
        )

    @verb
    def actions(
        self, *, types: Iterable[str] = (), limit: int = 10, skip: int = 0
    ) -> Query[ActionsAnswer]:
        """Read the head of the queue, the most urgent first; taken actions are among them."""
        return self._query(Actions, types=types, limit=limit, skip=skip)

    @verb
    def similar_question(self, text: str) -> Query[SimilarQuestionAnswer]:
        """Look for a question that shares 0.7 of its words with a text, so as not to ask twice."""
        return self._query(SimilarQuestion, text=text)

    @verb
    def progress(self, *, limit: int = 100, skip: int = 0) -> Query[ProgressAnswer]:
        """Read how far the board is: questions, open contradictions, whether it is complete."""
        return self._query(Progress, limit=limit, skip=skip)

    @verb
    def next_step(self, *, reader: str | None = None) -> Query[NextStepAnswer]:
        """Read what the board needs most, and why; `reader` is whose notes count."""
        return self._query(NextStep, reader=reader)

    @verb
    def markdown(self, *, max_chars: int = 16_384) -> Query[MarkdownAnswer]:
        """Read the whole board as Markdown, open points first."""
        return self._query(Markdown, max_chars=max_chars)
