"""What is held: the rows, read straight from PostgreSQL, and what the public verbs show of them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from benchmarks.chaos.ledger import Kind, Lane, Ledger
from benchmarks.chaos.load import KEY, board_of
from benchmarks.chaos.verdict import Held, Row
from pinak_ray import Swarm

__all__ = ["from_rows", "from_verbs", "service"]

_TIMEOUT_S = 60.0
_PAGE = 1000

_MEMORIES = """
SELECT m.agent, m.content, m.id, EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = m.namespace_id AND v.memory_id = m.id AND v.kind = 0) AS searchable
FROM pinak.memories AS m WHERE m.namespace_id = $1 ORDER BY m.id
"""
_ENTRIES = """
SELECT space, author, content, id FROM pinak.entries
WHERE namespace_id = $1 ORDER BY space, owner, seq
"""
_NOTES = """
SELECT agent, value::text AS value, version FROM pinak.working_items
WHERE namespace_id = $1 AND key = $2
"""


@asynccontextmanager
async def service(dsn: str) -> AsyncIterator[Any]:
    """Lend a connection past every actor and cache."""
    connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_S, command_timeout=_TIMEOUT_S)
    try:
        yield connection
    finally:
        await connection.close()


def _number(content: str) -> int:
    return int(content.rpartition(" ")[2])


async def from_rows(connection: Any, ledger: Ledger) -> Held:
    """Return the rows of every lane; a searchable memory counts only with its vector."""
    lanes = {(lane.kind, lane.agent): lane for lane in ledger.issued}
    held: defaultdict[Lane, list[Row]] = defaultdict(list)
    for agent, content, id_, searchable in await connection.fetch(_MEMORIES, ledger.namespace_id):
        lane = lanes.get((Kind.MEMORY, agent))
        if lane is None and searchable:
            lane = lanes[Kind.SEARCHABLE, agent]
        if lane is not None:
            held[lane].append(Row(_number(content), id_))
    for space, author, content, id_ in await connection.fetch(_ENTRIES, ledger.namespace_id):
        kind = Kind.BOARD if space == "board" else Kind.SCRATCHPAD
        held[lanes[kind, author]].append(Row(_number(content), id_))
    for agent, value, version in await connection.fetch(_NOTES, ledger.namespace_id, KEY):
        held[lanes[Kind.NOTE, agent]].append(Row(int(value), None, version))
    return held


async def from_verbs(swarm: Swarm, ledger: Ledger) -> Held:
    """Return what agents and boards themselves show; memories have no verb that lists them."""
    held: defaultdict[Lane, list[Row]] = defaultdict(list)
    boards: defaultdict[str, dict[str, Lane]] = defaultdict(dict)

    async def ask(lane: Lane) -> None:
        agent = swarm.agent(lane.agent)
        if lane.kind is Kind.NOTE:
            items = await agent.recollect(KEY)
            held[lane] = [Row(item.value, None, item.version) for item in items]
        elif lane.kind is Kind.SCRATCHPAD:
            held[lane] = [Row(_number(e.content), e.id) for e in await _all(agent.scratchpad)]

    async def ask_board(name: str, authors: dict[str, Lane]) -> None:
        for entry in await _all(swarm.board(name)):
            held[authors[entry.author]].append(Row(_number(entry.content), entry.id))

    for lane in ledger.issued:
        if lane.kind is Kind.BOARD:
            boards[board_of(lane.agent)][lane.agent] = lane
    async with asyncio.timeout(_TIMEOUT_S):
        await asyncio.gather(
            *(ask(lane) for lane in ledger.issued),
            *(ask_board(name, authors) for name, authors in boards.items()),
        )
    return held


async def _all(pad: Any) -> list[Any]:
    entries: list[Any] = []
    while page := await pad.read(after=entries[-1].seq if entries else 0, limit=_PAGE):
        entries.extend(page)
    return entries
