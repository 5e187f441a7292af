"""The verbs for the four parts of a scratchpad (RAISE) and for its questions."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from pinak_ray.client.handles.scratchpad.base import ScratchpadBase
from pinak_ray.client.verbs import verb
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Execute, Query
from pinak_ray.records.scratchpad.parts import (
    Act,
    AnswerOnScratchpad,
    AskOnScratchpad,
    FindExample,
    FoundExampleAnswer,
    Observe,
    Reason,
    RecordExample,
    ScratchpadQuestions,
    ScratchpadQuestionsAnswer,
    ScratchpadQuestionStatus,
    StepType,
    Uncertainty,
)

__all__ = ["PartVerbs"]


@dataclass(frozen=True, slots=True, repr=False)
class PartVerbs(ScratchpadBase):
    """Observations, reasoning, examples, the trajectory, and questions."""

    @verb
    def observe(
        self,
        content: str,
        *,
        type: str = "tool_output",
        source: str | None = None,
        relevance: float = 0.5,
        question: UUID | None = None,
        contradicts: Iterable[UUID] = (),
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Write down what was seen; returns a Receipt.

        Below a `relevance` of .5 it is no evidence. `question` is the one that it bears on,
        `contradicts` names entries that cannot be true beside it.
        """
        return self._execute(
            Observe, idempotency_key, ack, content=content, type=type, source=source,
            relevance=relevance, question=question, contradicts=tuple(contradicts),
        )  # fmt: skip

    @verb
    def reason(
        self,
        content: str,
        *,
        premises: Iterable[UUID] = (),
        conclusion: str | None = None,
        confidence: float = 0.5,
        step_type: StepType | str = StepType.DEDUCTION,
        uncertainty: Uncertainty | str | None = None,
        question: UUID | None = None,
        contradicts: Iterable[UUID] = (),
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Write down a step; returns a Receipt, or raises NotFound for an unknown premise."""
        return self._execute(
            Reason, idempotency_key, ack, content=content, premises=tuple(premises),
            conclusion=conclusion, confidence=confidence, step_type=step_type,
            uncertainty=uncertainty, question=question, contradicts=tuple(contradicts),
        )  # fmt: skip

    @verb
    def example(
        self,
        type: str,
        input: str,
        output: str,
        *,
        quality: float = 0.8,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Write down an input with an output that was good for it; returns a Receipt."""
        return self._execute(
            RecordExample, idempotency_key, ack,
            type=type, input=input, output=output, quality=quality,
        )  # fmt: skip

    @verb
    def find_example(
        self,
        type: str,
        input: str,
        *,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[FoundExampleAnswer]:
        """Find the example that shares 70% of its words with this input, and count its reuse."""
        return self._execute(FindExample, idempotency_key, ack, type=type, input=input)

    @verb
    def act(
        self,
        action: str,
        *,
        input_state: str | None = None,
        output_state: str | None = None,
        success: bool = True,
        error: str | None = None,
        duration_ms: float | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Write down an action and how it went; returns a Receipt."""
        return self._execute(
            Act, idempotency_key, ack, action=action, input_state=input_state,
            output_state=output_state, success=success, error=error, duration_ms=duration_ms,
        )  # fmt: skip

    @verb
    def ask(
        self,
        content: str,
        *,
        criteria: str | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Write down a question that the task has to answer; returns a Receipt."""
        return self._execute(
            AskOnScratchpad, idempotency_key, ack, content=content, criteria=criteria
        )

    @verb
    def answer(
        self,
        question: UUID,
        content: str,
        *,
        confidence: float = 0.8,
        sources: Iterable[UUID] = (),
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Answer a question; returns a Receipt, or raises Conflict where a surer answer stands."""
        return self._execute(
            AnswerOnScratchpad, idempotency_key, ack, question=question, content=content,
            confidence=confidence, sources=tuple(sources),
        )  # fmt: skip

    @verb
    def questions(
        self, *, status: ScratchpadQuestionStatus | str | None = None, skip: int = 0
    ) -> Query[ScratchpadQuestionsAnswer]:
        """Read the questions, each with its status and what bears on it."""
        return self._query(ScratchpadQuestions, status=status, skip=skip)
