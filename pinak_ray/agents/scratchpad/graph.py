"""The reasoning graph: thoughts, steps and observations as nodes, and how sure each of them is.

Confidence flows from premises to what rests on them, so that part of the graph has no circle. What
speaks against a node weighs by its own support alone: two that contradict each other would
otherwise have no answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from math import prod
from uuid import UUID

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import ids_of, share_of, text_of
from pinak_ray.records.scratchpad.thoughts import Edge, EdgeKind, Thought
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["RESTS_ON", "Graph", "Node", "graph_of"]

# A supporter closes half of what is missing to certainty, a contradictor takes half of what is
# there, each times its own confidence: of two equals that contradict each other each keeps half.
_WEIGHT = 0.5

RESTS_ON = (EdgeKind.DERIVES_FROM, EdgeKind.REFINES, EdgeKind.AGGREGATES)
"""The edges that lead to a premise."""
_AGAINST = (EdgeKind.CONTRADICTS, EdgeKind.CRITIQUES)


@dataclass(slots=True)
class Node:
    """One observation, step or thought, and the nodes around it."""

    entry: Entry
    type: str
    score: float
    pruned: bool = False
    edges: tuple[Edge, ...] = ()
    premises: tuple[UUID, ...] = ()
    """What it rests on, there or not."""
    supporters: list[UUID] = field(default_factory=list)
    against: list[UUID] = field(default_factory=list)
    """What contradicts it."""


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes, premises before what rests on them."""

    nodes: Mapping[UUID, Node]
    order: Sequence[UUID]
    confidence: Mapping[UUID, float]

    def live(self, ids: Iterable[UUID]) -> list[UUID]:
        """Return those of them that are there and not pruned."""
        return [id_ for id_ in ids if id_ in self.nodes and not self.nodes[id_].pruned]

    def leading_to(self, id_: UUID, *, pruned: bool = False) -> list[UUID]:
        """Return what directly carries a node: its premises and supporters."""
        node = self.nodes[id_]
        near = dict.fromkeys((*node.premises, *node.supporters))
        return [each for each in near if each in self.nodes] if pruned else self.live(near)

    def behind(self, id_: UUID, *, pruned: bool = False) -> list[UUID]:
        """Return everything that a node rests on, premises first."""
        reached: set[UUID] = set()
        waiting = self.leading_to(id_, pruned=pruned)
        while waiting:
            if (next_ := waiting.pop()) not in reached:
                reached.add(next_)
                waiting += self.leading_to(next_, pruned=pruned)
        return [each for each in self.order if each in reached]

    def contradicted(self, id_: UUID) -> bool:
        """Tell whether anything that is not pruned speaks against it."""
        return bool(self.live(self.nodes[id_].against))

    def thought(self, id_: UUID) -> Thought:
        """Return a node as readers see it."""
        node = self.nodes[id_]
        return Thought(
            id=id_,
            kind=node.entry.kind,
            type=node.type,
            content=node.entry.content,
            score=node.score,
            confidence=self.confidence[id_],
            pruned=node.pruned,
            edges=node.edges,
        )


def graph_of(log: EntryLog, now: datetime, *, pruned: Iterable[UUID] = ()) -> Graph:
    """Return the graph of a scratchpad, as if these thoughts were pruned too."""
    nodes: dict[UUID, Node] = {}
    for read, kind in (
        (_observation, EntryKind.OBSERVATION),
        (_step, EntryKind.REASONING),
        (_thought, EntryKind.THOUGHT),
    ):
        nodes |= {entry.id: read(entry) for entry in log.of_kind(kind, now=now)}
    for id_ in pruned:
        nodes[id_].pruned = True
    for id_, node in nodes.items():
        for edge in node.edges:
            if edge.to in nodes and edge.kind is EdgeKind.SUPPORTS:
                nodes[edge.to].supporters.append(id_)
            elif edge.to in nodes and edge.kind in _AGAINST:
                nodes[edge.to].against.append(id_)
    order = _ordered(nodes)
    alone = _confidences(nodes, order, {})
    return Graph(nodes, order, _confidences(nodes, order, alone))


def _ordered(nodes: Mapping[UUID, Node]) -> Sequence[UUID]:
    carried = {
        id_: [each for each in (*node.premises, *node.supporters) if each in nodes]
        for id_, node in nodes.items()
    }
    try:
        return tuple(TopologicalSorter(carried).static_order())
    except CycleError:
        # `think` refuses circles; only steps that were posted by hand can name each other. As
        # premises that do not count they harm nobody.
        for node in nodes.values():
            if node.entry.kind is EntryKind.REASONING:
                node.premises = tuple(id_ for id_ in node.premises if not _is_step(nodes, id_))
        return _ordered(nodes)


def _is_step(nodes: Mapping[UUID, Node], id_: UUID) -> bool:
    return id_ in nodes and nodes[id_].entry.kind is not EntryKind.OBSERVATION


def _confidences(
    nodes: Mapping[UUID, Node], order: Sequence[UUID], weights: Mapping[UUID, float]
) -> Mapping[UUID, float]:
    """Return how sure each node is; `weights` are those of what speaks against others."""
    sure: dict[UUID, float] = {}

    def of(id_: UUID, known: Mapping[UUID, float]) -> float:
        return 0.0 if id_ not in nodes or nodes[id_].pruned else known.get(id_, 0.0)

    for id_ in order:
        node = nodes[id_]
        # A chain is as strong as its weakest link.
        carried = min([node.score, *(of(premise, sure) for premise in node.premises)])
        missing = prod(1 - _WEIGHT * of(each, sure) for each in node.supporters)
        left = prod(1 - _WEIGHT * of(each, weights) for each in node.against)
        sure[id_] = (carried + (1 - carried) * (1 - missing)) * left
    return sure


def _observation(entry: Entry) -> Node:
    details = entry.details
    # What was seen was seen: how much it matters is another question than whether it is true.
    edges = _against(ids_of(details, "contradicts"))
    return Node(entry, text_of(details, "type") or "observation", 1.0, edges=edges)


def _step(entry: Entry) -> Node:
    details = entry.details
    premises = ids_of(details, "premises")
    edges = tuple(Edge(kind=EdgeKind.DERIVES_FROM, to=id_) for id_ in premises)
    return Node(
        entry,
        text_of(details, "step_type") or "reasoning",
        share_of(details, "confidence", 0.5),
        edges=edges + _against(ids_of(details, "contradicts")),
        premises=premises,
    )


def _thought(entry: Entry) -> Node:
    details = entry.details
    edges = tuple(Edge.model_validate(edge) for edge in details["edges"])
    return Node(
        entry,
        details["type"],
        details["score"],
        details["pruned"],
        edges,
        tuple(edge.to for edge in edges if edge.kind in RESTS_ON),
    )


def _against(ids: Iterable[UUID]) -> tuple[Edge, ...]:
    return tuple(Edge(kind=EdgeKind.CONTRADICTS, to=id_) for id_ in ids)
