"""Commands and views meet their rules: which function decides what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pinak_ray.agents.board import BOARD_RULES, BOARD_VIEWS
from pinak_ray.agents.log.decisions import Rule, Showing
from pinak_ray.agents.log.drafts import Call
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad import SCRATCHPAD_RULES, SCRATCHPAD_VIEWS
from pinak_ray.records.answer_size import fitting
from pinak_ray.records.commands import Answer, Command, Listed, View
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.operations import Execute
from pinak_ray.records.state.owners import Entry

__all__ = ["execute", "show"]

_RULES: Mapping[type[Command], Rule[Any]] = {**BOARD_RULES, **SCRATCHPAD_RULES}
_VIEWS: Mapping[type[View], Showing[Any]] = {**BOARD_VIEWS, **SCRATCHPAD_VIEWS}


def execute(
    log: EntryLog, operation: Execute[Any], now: datetime, earlier: Mapping[UUID, Receipt]
) -> tuple[Any, list[tuple[Entry, int]]]:
    """Carry out one command; return its result, and the entries written with what they replace.

    A repeated operation is answered with its first receipt, and another one under its key is
    refused. What answers more than a receipt is decided again: its rule knows what its own author
    holds.
    """
    owner, id_, author = operation.owner, operation.id, operation.author
    command, ack, key = operation.command, operation.ack, operation.write_key
    if command.space is not owner.space:
        raise InvalidInput(f"{command.verb} belongs to a {command.space}, not to a {owner.space}")
    spent = None if key is None else log.spent(key, now)
    if command.answer is Receipt:
        if id_ in earlier:
            return earlier[id_]._replace(ack=ack), []
        if spent is not None:
            entry, version = spent
            return Receipt(entry.id, ack, False, version), []
        if (made := log.made_by(id_, now=None if key is None else now)) is not None:
            return Receipt(made.id, ack, False, made.version), []
    call = Call(id_, author, now, key)
    drafts, held, answer = _RULES[type(command)](log, command, call)
    written = log.write(drafts, call)
    if answer is not None:
        return answer, written
    first = written[0][0] if written else held
    assert first is not None, f"{command.verb} neither wrote nor found anything"
    return Receipt(first.id, ack, held is None, first.version), written


def show(log: EntryLog, view: View, now: datetime) -> Answer:
    """Return one view of a log, as far as one answer holds it."""
    asked: Any = view  # no type says that it is both
    if not isinstance(asked, Listed):
        return _VIEWS[type(view)](log, view, now)
    if asked.skip and hasattr(view, "limit"):
        view = view.model_copy(update={"limit": asked.skip + view.limit})
    return _page(_VIEWS[type(view)](log, view, now), asked.lists, asked.skip)


def _page(answer: Answer, lists: Sequence[str], skip: int) -> Answer:
    pages: dict[str, Any] = {"more": 0}
    for name in lists:
        asked = getattr(answer, name)[skip:]
        sizes = (len(one.__pydantic_serializer__.to_json(one)) for one in asked)
        pages[name] = asked[: fitting(sizes, parts=len(lists))]
        pages["more"] += len(asked) - len(pages[name])
    return answer.model_copy(update=pages)
