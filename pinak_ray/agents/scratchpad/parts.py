"""The four parts of a scratchpad (RAISE): observations, reasoning, examples and the trajectory."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import added, again, share_of, text_of
from pinak_ray.records.errors import NotFound
from pinak_ray.records.scratchpad.parts import (
    Act,
    FindExample,
    FoundExample,
    FoundExampleAnswer,
    Observe,
    Reason,
    RecordExample,
)
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["act", "check_known", "find_example", "observe", "reason", "record_example"]

# As memOS had it: the share of words that two inputs must have in common, of the longer one's.
_LIKE = 0.7

_PREMISES = (EntryKind.OBSERVATION, EntryKind.REASONING, EntryKind.THOUGHT)
"""What reasoning can rest on, and what can be contradicted."""


def observe(log: EntryLog, command: Observe, call: Call) -> Decision:
    """Add an observation."""
    _check_question(log, command.question, call.now)
    check_known(log, command.contradicts, call.now)
    details = command.model_dump(exclude={"content"})
    return added(log, call, EntryKind.OBSERVATION, command.content, details)


def reason(log: EntryLog, command: Reason, call: Call) -> Decision:
    """Add a step whose premises are all there."""
    _check_question(log, command.question, call.now)
    check_known(log, (*command.premises, *command.contradicts), call.now)
    details = command.model_dump(exclude={"content"})
    return added(log, call, EntryKind.REASONING, command.content, details)


def record_example(log: EntryLog, command: RecordExample, call: Call) -> Decision:
    """Add an example."""
    details = {**command.model_dump(), "reuse_count": 0}
    return added(log, call, EntryKind.EXAMPLE, command.input, details)


def find_example(log: EntryLog, command: FindExample, call: Call) -> Decision:
    """Return the example that is most alike and best, and count its reuse, once a call."""
    counted = log.made_by(call.id)
    if counted is not None and counted.kind is EntryKind.EXAMPLE:
        return Decision(answer=_found(counted, command, _reuses(counted)))
    found = max(
        (
            (overlap, share_of(example.details, "quality", 0.0), -place, example)
            for place, example in enumerate(log.of_kind(EntryKind.EXAMPLE, now=call.now))
            if text_of(example.details, "type") == command.type
            and (overlap := _overlap(example, command)) >= _LIKE
        ),
        default=None,
        key=lambda ranked: ranked[:3],
    )
    if found is None:
        return Decision(answer=FoundExampleAnswer(example=None))
    example = found[3]
    reuses = _reuses(example) + 1
    return Decision(
        (again(example, {**example.details, "reuse_count": reuses}),),
        answer=_found(example, command, reuses),
    )


def act(log: EntryLog, command: Act, call: Call) -> Decision:
    """Add a step of the trajectory."""
    details = command.model_dump(exclude={"action"})
    return added(log, call, EntryKind.TRAJECTORY, command.action, details)


def check_known(log: EntryLog, ids: Iterable[UUID], now: datetime) -> None:
    """Raise NotFound unless all of these are observations, steps or thoughts of this scratchpad."""
    for id_ in ids:
        entry = log.entries.get(id_)
        if entry is None or entry.kind not in _PREMISES:
            raise NotFound(f"there is no observation, step or thought {id_} here")
        log.get(entry.kind, id_, now=now)


def _check_question(log: EntryLog, question: UUID | None, now: datetime) -> None:
    if question is not None:
        log.get(EntryKind.QUESTION, question, now=now)


def _found(example: Entry, command: FindExample, reuses: int) -> FoundExampleAnswer:
    return FoundExampleAnswer(
        example=FoundExample(
            id=example.id,
            type=command.type,
            input=example.content,
            output=text_of(example.details, "output") or "",
            quality=share_of(example.details, "quality", 0.0),
            overlap=_overlap(example, command),
            reuse_count=reuses,
        )
    )


def _reuses(example: Entry) -> int:
    count = example.details.get("reuse_count")
    return count if isinstance(count, int) else 0


def _overlap(example: Entry, command: FindExample) -> float:
    """Return the words in common over those of the longer input."""
    mine, theirs = (set(text.casefold().split()) for text in (example.content, command.input))
    return len(mine & theirs) / max(len(mine), len(theirs))
