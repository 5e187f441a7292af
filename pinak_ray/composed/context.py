"""`context`: what an agent needs for its next step, from several reads, as one text."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

import orjson

from pinak_ray.composed.rendering import Section, render
from pinak_ray.language.shown import shown
from pinak_ray.records.board.open_points import OpenPoint, OpenPoints, OpenPointsAnswer
from pinak_ray.records.memory.context import Context
from pinak_ray.records.memory.nudges import INTENT_KEY, Intent, Nudge
from pinak_ray.records.memory.recall import LEAST_BESIDE, LEAST_RELEVANT, Hit, new_recall
from pinak_ray.records.operations import Intend, Query, ReadContext, Recall, Recollect
from pinak_ray.records.sending import Send
from pinak_ray.records.state.owners import Owner, Space, WorkingItem

__all__ = ["read_context"]

# Of 100; what a section does not use goes to the others.
_INTENT_SHARE = 10
_NUDGE_SHARE = 20
_WORKING_SHARE = 25
_BOARD_SHARE = 25
_MEMORY_SHARE = 20
_NUDGES = 3
# 1,000 tokens hold some 23 turns of a conversation: LoCoMo's have 43 each, with their label.
_MEMORIES = 50


async def read_context(send: Send, operation: ReadContext) -> Context:
    """Read what bears on the agent's next step and render it within the budget.

    It says nothing itself: the nudges it shows do not count as shown. Raises what the reads do.
    """
    owner, budget_tokens = operation.owner, operation.budget_tokens
    board, query = operation.board, operation.query
    items, open_ = await asyncio.gather(send(Recollect(owner)), _open_points(send, owner, board))
    intent = _noted_intent(items)
    nudges, hits = await asyncio.gather(
        _nudges(send, owner, intent),
        _memories(send, owner, query or (None if intent is None else intent.text)),
    )
    evidence = {hit.content for nudge in nudges for hit in nudge.evidence}
    return render(
        [
            Section("intent", _INTENT_SHARE, [] if intent is None else [_intent_line(intent)]),
            Section("nudges", _NUDGE_SHARE, [_nudge_line(nudge) for nudge in nudges]),
            Section("working_memory", _WORKING_SHARE, list(_working_lines(items))),
            Section(
                "board", _BOARD_SHARE, [_point_line(p) for p in open_.points], open_.whole_tokens
            ),
            Section("memories", _MEMORY_SHARE, list(_memory_lines(hits, besides=evidence))),
        ],
        budget_tokens,
    )


async def _open_points(send: Send, owner: Owner, board: str | None) -> OpenPointsAnswer:
    if board is None:
        return OpenPointsAnswer(points=(), whole_tokens=0)
    of = Owner(owner.namespace_id, Space.BOARD, board)
    view: Query[OpenPointsAnswer] = Query(of, OpenPoints(reader=owner.name))
    return await send(view)


async def _nudges(send: Send, owner: Owner, intent: Intent | None) -> tuple[Nudge, ...]:
    if intent is None:
        return ()
    return await send(Intend(owner, intent, _NUDGES, repeat=True, peek=True))


async def _memories(send: Send, owner: Owner, query: str | None) -> tuple[Hit, ...]:
    if query is None:
        return ()
    asked = new_recall(query, k=_MEMORIES, min_relevance=LEAST_BESIDE)
    hits = (await send(Recall(owner.namespace_id, asked))).hits
    return hits if hits and (hits[0].relevance or 0.0) >= LEAST_RELEVANT else ()


def _intent_line(intent: Intent) -> str:
    tool = "" if intent.tool is None else f" ({intent.tool})"
    return _line("intent", intent.text + tool)


def _nudge_line(nudge: Nudge) -> str:
    return _line(f"nudge, {nudge.strength}", nudge.message)


def _working_lines(items: Sequence[WorkingItem]) -> Iterator[str]:
    """Yield the agent's own items, newest first."""
    for item in sorted(items, key=lambda item: (item.updated_at, item.key), reverse=True):
        if not item.key.startswith("$"):
            yield _line(item.key, item.encoded.decode())


def _point_line(point: OpenPoint) -> str:
    missing = f" (missing: {'; '.join(point.missing)})" if point.missing else ""
    return _line(f"{point.kind}, {point.author}, {point.state}", point.text + missing)


def _memory_lines(hits: Sequence[Hit], *, besides: set[str]) -> Iterator[str]:
    for hit in hits:
        if hit.content not in besides:
            yield _line(f"memory, {hit.agent}, {hit.occurred_at:%Y-%m-%d}", hit.content)


def _line(label: str, text: str) -> str:
    # One line an item: a newline in it would look like the next item's beginning.
    return f"{shown(label)}: {shown(text)}"


def _noted_intent(items: Iterable[WorkingItem]) -> Intent | None:
    for item in items:
        if item.key == INTENT_KEY:
            said = item.value
            # An item of an earlier version has no arguments.
            return Intent(said["text"], said["tool"], orjson.dumps(said.get("arguments", {})))
    return None
