"""`promote`: what a board or a scratchpad found out becomes memories, each entry once.

Nothing is kept of a promotion but the memories and their links, and the ids of both are made from
the entries. So whoever promotes again completes what a crash cut off, and adds nothing to what was
done.
"""

import asyncio
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar
from uuid import UUID

import orjson

from pinak_ray.composed.promotable import (
    PROMOTED_KINDS,
    READ_KINDS,
    EntryLink,
    Promotable,
    Selection,
    select,
)
from pinak_ray.records.errors import InvalidInput, NotFound, PinakError, Superseded
from pinak_ray.records.ids import id_from_key
from pinak_ray.records.limits import MAX_READ
from pinak_ray.records.memory.links import LinkKind, change_link
from pinak_ray.records.memory.memories import Memory, Receipt, content_hash, new_memory
from pinak_ray.records.memory.promotion import (
    FindPromoted,
    Known,
    MadeFrom,
    Promote,
    Promoted,
    Promotion,
    Skipped,
    Sought,
)
from pinak_ray.records.memory.revisions import Revision
from pinak_ray.records.operations import ChangeLink, Query, Read, Remember, Revise
from pinak_ray.records.scratchpad.quality import Quality
from pinak_ray.records.sending import Send
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, Space
from pinak_ray.records.wiring import Operation

__all__ = ["promote", "read_all"]

T = TypeVar("T")

# As many as a lane carries in one batch or two; a board of 10,000 findings takes 40 of these.
_AT_ONCE = 256
# Memories on one question bear on each other, but neither says the other.
_SAME_QUESTION = 0.5
_RENEWED = frozenset(("details", "salience", "source"))
"""What an entry says of its memory beside the content; the rest stays as it was."""


async def promote(send: Send, operation: Promote) -> Promotion:
    """Make memories of an owner's entries; raises what the reads and writes do.

    After an error it can be called again: what was promoted before it is not promoted twice.
    """
    entries = await read_all(send, operation.owner, READ_KINDS)
    # In a thread: of a large board it takes long, and the gateway's loop has others to serve.
    selection = await asyncio.to_thread(select, entries, operation.min_confidence)
    if await _quality(send, operation) < operation.min_quality:
        selection.skipped[Skipped.LOW_QUALITY] += len(selection.promotable)
        selection.promotable.clear()
    run = _Run(send, operation, selection)
    await run.store()
    return Promotion(
        promoted=tuple(run.promoted[id_] for id_ in run.memories if id_ in run.promoted),
        held=tuple(selection.held),
        links=await run.link({e.id for e in entries if e.kind in PROMOTED_KINDS}),
        skipped=dict(selection.skipped),
    )


async def read_all(
    send: Send, owner: Owner, kinds: Sequence[EntryKind], after: int = 0
) -> list[Entry]:
    """Return all living entries of these kinds past `after`, each as it was read last."""
    entries: dict[UUID, Entry] = {}
    while True:
        page = await send(Read(owner, after, tuple(kinds), MAX_READ))
        # One that is changed meanwhile moves to a later page.
        entries |= {entry.id: entry for entry in page}
        if not page:  # one that is not full may have been cut by its size
            return list(entries.values())
        after = page[-1].seq


async def _quality(send: Send, operation: Promote) -> float:
    if not operation.min_quality or operation.owner.space is not Space.AGENT:
        return 1.0
    return float((await send(Query(operation.owner, Quality()))).overall)


@dataclass(slots=True)
class _Run:
    """One promotion on its way."""

    send: Send
    operation: Promote
    selection: Selection
    memories: dict[UUID, Memory] = field(default_factory=dict)
    """By entry, in the order in which the entries were made."""
    made: dict[UUID, MadeFrom] = field(default_factory=dict)
    """From which state of the entry each of these is."""
    first: dict[str, UUID] = field(default_factory=dict)
    """By content, the memory that this promotion stores."""
    known: dict[UUID, Known] = field(default_factory=dict)
    """What is in long-term memory of each entry."""
    promoted: dict[UUID, Promoted] = field(default_factory=dict)

    async def store(self) -> None:
        """Store what is new and revise what has changed, some at a time: an end that comes too
        soon, as the gateway's deadline, leaves what was done by then."""
        for number, each in enumerate(self.selection.promotable):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others' turn: 10,000 of these take half a second
            made = MadeFrom(each.entry.version, _digest(each))
            try:
                self.memories[each.entry.id] = _memory(self.operation, each, made)
            except InvalidInput:
                self.selection.skipped[Skipped.UNFIT] += 1
            self.made[each.entry.id] = made
        for some in _batches(list(self.memories.items())):
            await self._look(some)
            await self._store(some)

    async def _look(self, some: Sequence[tuple[UUID, Memory | None]]) -> None:
        """Find out what is there already of the memories of these entries."""
        owner = self.operation.owner
        sought = tuple(
            Sought(_memory_id(owner, id_), "" if memory is None else memory.content)
            for id_, memory in some
        )
        found = await self.send(FindPromoted(owner.namespace_id, sought))
        self.known |= dict(zip((id_ for id_, _ in some), found, strict=True))

    async def _store(self, some: Sequence[tuple[UUID, Memory]]) -> None:
        fresh: list[tuple[UUID, Memory]] = []
        for id_, memory in some:
            known = self.known[id_]
            same = known.same or self.first.get(memory.content)
            if known.current is not None:
                await self._renew(id_, known.current, known)
            elif same is not None:
                self.known[id_] = Known(same=same)
                self.selection.skipped[Skipped.DUPLICATE] += 1
            else:
                fresh.append((id_, memory))
                self.first[memory.content] = memory.id
        receipts = await _all(self.send, [Remember(memory) for _, memory in fresh])
        for (id_, memory), receipt in zip(fresh, receipts, strict=True):
            self._is_stored(id_, memory.id, new=receipt.new)

    async def _renew(self, id_: UUID, current: UUID, known: Known) -> None:
        """Put what an entry says now in the place of what it said."""
        now = self.made[id_]
        if known.made is None or known.made.version >= now.version or known.made.says == now.says:
            self.selection.skipped[Skipped.UNCHANGED] += 1
            return
        memory_id = _memory_id(self.operation.owner, id_, now.version)
        memory = self.memories[id_]._replace(id=memory_id)
        try:
            receipt = await self.send(Revise(Revision(current, memory, _RENEWED)))
        except (Superseded, NotFound):  # by somebody who was before us
            self.selection.skipped[Skipped.REVISED] += 1
        else:
            self._is_stored(id_, memory_id, new=receipt.new, revised=True)

    def _is_stored(self, id_: UUID, memory: UUID, *, new: bool, revised: bool = False) -> None:
        self.known[id_] = Known(current=memory)
        if new:
            self.promoted[id_] = Promoted(entry=id_, memory=memory, revised=revised)
        else:  # by somebody else at the same time
            self.selection.skipped[Skipped.UNCHANGED] += 1

    async def link(self, entries: Set[UUID]) -> int:
        """Link what these entries became, also earlier; return how many links are new."""
        ends = {id_ for link in self.selection.links for id_ in (link.from_entry, link.to_entry)}
        linked = ends.union(*self.selection.by_question.values()) & entries - self.known.keys()
        for rest in _batches(sorted(linked)):
            await self._look([(id_, None) for id_ in rest])
        changes = {}
        for link in chain(self.selection.links, self._of_one_question()):
            start, end = self._memory_of(link.from_entry), self._memory_of(link.to_entry)
            if start is not None and end is not None and start != end:
                change = change_link(
                    self.operation.owner.namespace_id,
                    self.operation.author,
                    start, end, link.kind, link.strength,
                )  # fmt: skip
                changes[change.key] = ChangeLink(change)
        new = 0
        for some in _batches(list(changes.values())):
            # One that was forgotten meanwhile leaves nothing to link.
            receipts = await _all(self.send, some, besides=NotFound)
            new += sum(receipt.new for receipt in receipts)
        return new

    def _of_one_question(self) -> Iterator[EntryLink]:
        """Yield one link an entry: to the first one on its question, so that any two are near."""
        for entries in self.selection.by_question.values():
            there = [id_ for id_ in entries if self._memory_of(id_)]
            for other in there[1:]:
                yield EntryLink(other, there[0], LinkKind.REFERS_TO, _SAME_QUESTION)

    def _memory_of(self, entry: UUID) -> UUID | None:
        known = self.known.get(entry, Known())
        return known.current or known.same


def _memory(operation: Promote, each: Promotable, made: MadeFrom) -> Memory:
    owner, entry = operation.owner, each.entry
    where = {"space": owner.space, "owner": owner.name, "entry": entry.id, **made._asdict()}
    memory = new_memory(
        owner.namespace_id,
        entry.author,
        each.content,
        layer=each.layer,
        session=operation.session,
        details={"promoted": where, "confidence": each.confidence, **each.provenance},
        tags=(entry.kind.value,),
        salience=each.confidence,
        occurred_at=entry.created_at,
        source=each.source_url or f"{owner.space}/{owner.name}",
    )
    return memory._replace(id=_memory_id(owner, entry.id))


def _digest(each: Promotable) -> str:
    """Return what tells whether an entry says the same as before; not all that changes it does."""
    said = (each.content, each.confidence, each.provenance)
    return content_hash(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hex()


def _memory_id(owner: Owner, entry: UUID, version: int | None = None) -> UUID:
    """Return the id of what an entry becomes, or of what it becomes as this version of it."""
    of_version = "" if version is None else f"/{version}"
    return id_from_key(
        owner.namespace_id, f"promoted/{owner.space}/{owner.name}", f"{entry}{of_version}"
    )


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


async def _all(
    send: Send,
    operations: Sequence[Operation[Receipt]],
    besides: type[PinakError] | tuple[()] = (),
) -> list[Receipt]:
    """Carry out all, and only then raise the first error that is none of `besides`."""
    fates = await asyncio.gather(*map(send, operations), return_exceptions=True)
    for fate in fates:
        if isinstance(fate, BaseException) and not isinstance(fate, besides):
            raise fate
    return [fate for fate in fates if isinstance(fate, Receipt)]
