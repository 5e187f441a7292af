"""The queue of actions: the most urgent is taken by one agent at a time."""

from datetime import datetime, timedelta

from pinak_ray.agents.board.thinking.action_state import action_of, asked_action, open_actions
from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.actions import (
    Actions,
    ActionsAnswer,
    FinishAction,
    PushAction,
    TakeAction,
    TakenAction,
)
from pinak_ray.records.errors import Conflict
from pinak_ray.records.state.owners import EntryKind

__all__ = ["finish_action", "push_action", "show_actions", "take_action"]


def push_action(log: EntryLog, command: PushAction, call: Call) -> Decision:
    """Add an action behind those of its priority; the same call again finds it, however far it
    is by now."""
    if call.id in log.entries:
        return Decision(held=log.entries[call.id])
    return Decision((asked_action(log, call, 0, command.type, command.priority, command.details),))


def take_action(log: EntryLog, command: TakeAction, call: Call) -> Decision:
    """Lease the most urgent action to the caller; the same call again gets the same one."""
    made = log.made_by(call.id)
    if made is not None and made.kind is EntryKind.ACTION:
        return Decision(answer=TakenAction(action=action_of(made).shown()))
    for action in open_actions(log, call.now):
        wanted = not command.types or action.entry.content in command.types
        if wanted and not action.leased(call.now):
            until = call.now + timedelta(seconds=command.lease_s)
            after = action.having(taken_by=call.author, leased_until=until)
            return Decision((after.draft(call.now),), answer=TakenAction(action=after.shown()))
    return Decision(answer=TakenAction(action=None))


def finish_action(log: EntryLog, command: FinishAction, call: Call) -> Decision:
    """End an action that the caller took. Raises Conflict for one that somebody else has taken
    since, that nobody took, or that ended otherwise."""
    action = action_of(log.get(EntryKind.ACTION, command.action, now=call.now))
    taken_by, outcome = action.details.taken_by, action.details.outcome
    if taken_by != call.author:
        holder = "nobody" if taken_by is None else taken_by
        raise Conflict(f"{holder} has taken this action; take it first")
    if outcome is not None:
        if outcome != command.outcome:
            raise Conflict(f"this action is finished: {outcome}")
        return Decision(held=action.entry)
    after = action.having(outcome=command.outcome, leased_until=None)
    return Decision((after.draft(call.now),))


def show_actions(log: EntryLog, view: Actions, now: datetime) -> ActionsAnswer:
    """Return the head of the queue, and what of it is taken."""
    wanted = [a for a in open_actions(log, now) if not view.types or a.entry.content in view.types]
    return ActionsAnswer(actions=tuple(action.shown() for action in wanted[: view.limit]))
