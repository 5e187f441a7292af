"""Which entries of a board or a scratchpad are worth remembering, and how they hang together."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from pinak_ray.agents.scratchpad.details import ids_of, share_of, text_of
from pinak_ray.records.memory.links import LinkKind
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.memory.promotion import Held, Skipped
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["PROMOTED_KINDS", "READ_KINDS", "EntryLink", "Promotable", "Selection", "select"]

# A finding is a statement about the world. A step of reasoning is an event: what one agent
# concluded, once, from what it then had. As procedural memory it would pass for a rule, which
# nudges hold intents against; the procedure in a task is what `distill` makes of its trajectory.
PROMOTED_KINDS: Mapping[EntryKind, Layer] = {
    EntryKind.FINDING: Layer.SEMANTIC,
    EntryKind.REASONING: Layer.EPISODIC,
}
READ_KINDS = (
    *PROMOTED_KINDS,
    EntryKind.CONTRADICTION,
    EntryKind.QUESTION,
    EntryKind.OBSERVATION,
    EntryKind.THOUGHT,
)
"""The kinds that say whether an entry is worth remembering."""

# What is not said is half sure, as where findings and steps are written down.
_UNSAID = 0.5
# Of a question: as much as tells a reader which one it was. A finding may bear on 64.
_SHOWN = 200


class Promotable(NamedTuple):
    """An entry that shall be a memory."""

    entry: Entry
    layer: Layer
    content: str
    confidence: float
    provenance: Mapping[str, Any]
    """What the memory's details say beside where it comes from."""
    source_url: str | None


class EntryLink(NamedTuple):
    """A link between what two entries became."""

    from_entry: UUID
    to_entry: UUID
    kind: LinkKind
    strength: float


@dataclass(slots=True)
class Selection:
    """What becomes of the entries of one owner."""

    promotable: list[Promotable] = field(default_factory=list)
    """In the order in which they were made."""
    held: list[Held] = field(default_factory=list)
    skipped: "Counter[Skipped]" = field(default_factory=Counter)
    links: list[EntryLink] = field(default_factory=list)
    """Also between entries that became memories earlier."""
    by_question: dict[UUID, list[UUID]] = field(default_factory=dict)
    """The entries that bear on each question, in the order in which they were made."""


def select(entries: Sequence[Entry], min_confidence: float) -> Selection:
    """Sort the entries of one owner by what shall become of them.

    A finding is held while a contradiction that it is part of is not resolved; a step of reasoning
    if it, or what it rests on, is contradicted.
    """
    made = sorted(entries, key=lambda entry: (entry.created_at, entry.id))
    doubts = _contradicted(made)
    questions = {e.id: e.content for e in made if e.kind is EntryKind.QUESTION}
    selection = Selection(links=list(_links(made)))
    for entry in made:
        if entry.kind not in PROMOTED_KINDS:
            continue
        if ids_of(entry.details, "refuted_by"):
            selection.skipped[Skipped.REFUTED] += 1
        elif share_of(entry.details, "confidence", _UNSAID) < min_confidence:
            selection.skipped[Skipped.LOW_CONFIDENCE] += 1
        elif entry.id in doubts:
            selection.held.append(Held(entry=entry.id, contradictions=tuple(doubts[entry.id])))
        else:
            selection.promotable.append(_promotable(entry, questions))
        for question in _questions(entry):
            selection.by_question.setdefault(question, []).append(entry.id)
    return selection


def _contradicted(made: Sequence[Entry]) -> dict[UUID, dict[UUID, None]]:
    """Return what speaks against each entry, also by way of its premises."""
    against: dict[UUID, dict[UUID, None]] = defaultdict(dict)
    for entry in made:
        if entry.kind is EntryKind.CONTRADICTION:
            if not _is_resolved(entry):
                for finding in ids_of(entry.details, "findings"):
                    against[finding][entry.id] = None
        elif entry.kind is not EntryKind.FINDING:  # those of findings are entries of their own
            for other in _speaks_against(entry):
                against[other][entry.id] = None
    doubts: dict[UUID, dict[UUID, None]] = {}
    for entry in made:  # what it rests on was there before it
        found = dict(against.get(entry.id, {}))
        for premise in ids_of(entry.details, "premises"):
            found |= doubts.get(premise, {})
        if found:
            doubts[entry.id] = found
    return doubts


def _is_resolved(contradiction: Entry) -> bool:
    details = contradiction.details
    return bool(details.get("resolved") or details.get("resolved_at"))


def _speaks_against(entry: Entry) -> tuple[UUID, ...]:
    edges = entry.details.get("edges")
    of_thought = [
        id_
        for edge in (edges if isinstance(edges, list) else ())
        if isinstance(edge, dict) and edge.get("kind") == LinkKind.CONTRADICTS
        for id_ in ids_of(edge, "to")
    ]
    return (*ids_of(entry.details, "contradicts"), *of_thought)


def _promotable(entry: Entry, questions: Mapping[UUID, str]) -> Promotable:
    details = entry.details
    conclusion = text_of(details, "conclusion")
    kept = ("type", "step_type", "verified", "found_by", "premises")
    source_url = _source_url(details)
    return Promotable(
        entry,
        PROMOTED_KINDS[entry.kind],
        entry.content if conclusion is None else f"{entry.content}\n{conclusion}",
        share_of(details, "confidence", _UNSAID),
        {
            "questions": {str(id_): questions.get(id_, "")[:_SHOWN] for id_ in _questions(entry)},
            "source_url": source_url,
            **{name: details[name] for name in kept if details.get(name)},
        },
        source_url,
    )


def _questions(entry: Entry) -> tuple[UUID, ...]:
    return (*ids_of(entry.details, "questions"), *ids_of(entry.details, "question"))


def _source_url(details: Mapping[str, Any]) -> str | None:
    sources = details.get("sources")
    if isinstance(sources, list) and sources and isinstance(sources[0], dict):
        return text_of(sources[0], "url")
    return text_of(details, "source_url") or text_of(details, "source")


def _links(made: Sequence[Entry]) -> Iterator[EntryLink]:
    for entry in made:
        if entry.kind is EntryKind.CONTRADICTION:
            yield from _refutations(entry)
        elif entry.kind is EntryKind.REASONING:
            for premise in ids_of(entry.details, "premises"):
                yield EntryLink(entry.id, premise, LinkKind.DERIVED_FROM, 1.0)
            for other in ids_of(entry.details, "contradicts"):
                yield EntryLink(entry.id, other, LinkKind.CONTRADICTS, 1.0)


def _refutations(contradiction: Entry) -> Iterator[EntryLink]:
    for kept in ids_of(contradiction.details, "kept"):
        for other in ids_of(contradiction.details, "findings"):
            yield EntryLink(kept, other, LinkKind.CONTRADICTS, 1.0)
