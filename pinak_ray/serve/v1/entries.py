"""Reading the entries of a scratchpad or a board."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from pinak_ray.records.limits import MAX_READ, MAX_SEQ
from pinak_ray.records.operations import Read
from pinak_ray.records.state.owners import EntryKind, Owner
from pinak_ray.serve.context import AppContext
from pinak_ray.serve.v1.answers import JsonAnswer, entry_answer

__all__ = ["Selected", "Selection", "entries_of"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries to read."""

    after_seq: int
    kinds: tuple[EntryKind, ...]
    limit: int


async def selection(
    after_seq: Annotated[
        int, Query(ge=0, le=MAX_SEQ, description="The last one seen: an answer's `cursor`.")
    ] = 0,
    kind: Annotated[list[EntryKind] | None, Query(description="Repeat it for several.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_READ)] = 100,
) -> Selection:
    """Read the query's selection."""
    return Selection(after_seq, tuple(kind or ()), limit)


Selected = Annotated[Selection, Depends(selection)]


async def entries_of(context: AppContext, owner: Owner, chosen: Selection) -> JsonAnswer:
    """Return the owner's chosen entries, and the cursor to read on from until none come."""
    operation = Read(owner, chosen.after_seq, chosen.kinds, chosen.limit)
    entries = await context.send(operation)
    return JsonAnswer(
        {
            "entries": [entry_answer(entry) for entry in entries],
            "cursor": entries[-1].seq if entries else chosen.after_seq,
        }
    )
