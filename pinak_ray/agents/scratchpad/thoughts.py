"""Thoughts: adding them without circles, pruning, and the conclusion that most leads to."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import added, again
from pinak_ray.agents.scratchpad.graph import RESTS_ON, Graph, graph_of
from pinak_ray.agents.scratchpad.parts import check_known
from pinak_ray.records.errors import Conflict
from pinak_ray.records.scratchpad.thoughts import (
    Convergence,
    ConvergentAnswer,
    EdgeKind,
    PrunedAnswer,
    PruneThoughts,
    Rival,
    Think,
    Thoughts,
    ThoughtsAnswer,
    ThoughtType,
)
from pinak_ray.records.state.owners import EntryKind

__all__ = ["prune_thoughts", "show_convergence", "show_thoughts", "think"]


def think(log: EntryLog, command: Think, call: Call) -> Decision:
    """Add a thought whose edges lead to what is there, and close no circle."""
    edges = tuple(dict.fromkeys(command.edges))
    check_known(log, (edge.to for edge in edges), call.now)
    carried = {edge.to for edge in edges if edge.kind is EdgeKind.SUPPORTS}
    premises = {edge.to for edge in edges if edge.kind in RESTS_ON}
    # Nothing refers to a new thought yet, so only between these two a circle can close.
    if carried and premises:
        graph = graph_of(log, call.now)
        behind = premises.union(*(graph.behind(each, pruned=True) for each in premises))
        if circle := carried & behind:
            raise Conflict(f"this thought would rest on {min(circle)}, which it supports")
    details = {
        "type": command.type,
        "score": command.score,
        "edges": [edge.model_dump() for edge in edges],
        "pruned": False,
    }
    return added(log, call, EntryKind.THOUGHT, command.content, details)


def prune_thoughts(log: EntryLog, command: PruneThoughts, call: Call) -> Decision:
    """Mark the weak thoughts, and those that are weak without them."""
    entries = log.of_kind(EntryKind.THOUGHT, now=call.now)
    before = {entry.id for entry in entries if entry.details["pruned"]}
    pruned = set(before)
    while True:
        graph = graph_of(log, call.now, pruned=pruned)
        weak = {
            entry.id for entry in entries if graph.confidence[entry.id] < command.min_score
        } - pruned
        if not weak:
            break
        pruned |= weak
    drafts = tuple(
        again(entry, {**entry.details, "pruned": True})
        for entry in entries
        if entry.id in pruned - before
    )
    answer = PrunedAnswer(pruned=tuple(entry.id for entry in entries if entry.id in pruned))
    return Decision(drafts, answer=answer)


def show_thoughts(log: EntryLog, view: Thoughts, now: datetime) -> ThoughtsAnswer:
    """Return the nodes that are asked for."""
    graph = graph_of(log, now)
    wanted = [id_ for id_ in view.id if id_ in graph.nodes] if view.id else list(graph.nodes)
    return ThoughtsAnswer(
        thoughts=tuple(
            graph.thought(id_)
            for id_ in wanted
            if (view.pruned or not graph.nodes[id_].pruned)
            and view.type in (None, graph.nodes[id_].type)
        )
    )


def show_convergence(log: EntryLog, view: ConvergentAnswer, now: datetime) -> Convergence:
    """Return the conclusion with most support, and how it is reached."""
    graph = graph_of(log, now)
    alike: dict[str, list[UUID]] = defaultdict(list)
    for id_ in _conclusions(graph):
        alike[_said(graph, id_)].append(id_)
    if not alike:
        return Convergence(conclusion=None, support=0.0, path=(), rivals=())
    support = {said: _support(graph, ids) for said, ids in alike.items()}
    # Stable: of equals the one that was drawn first.
    ranked = sorted(alike, key=lambda said: support[said], reverse=True)
    # Of equal texts, the one that is surest speaks for all.
    speakers = {said: max(ids, key=graph.confidence.__getitem__) for said, ids in alike.items()}
    best = ranked[0]
    behind = {id_ for each in alike[best] for id_ in graph.behind(each)}
    return Convergence(
        conclusion=graph.thought(speakers[best]),
        support=support[best],
        path=tuple(graph.thought(id_) for id_ in graph.order if id_ in behind),
        rivals=tuple(
            Rival(
                id=speakers[said],
                content=graph.nodes[speakers[said]].entry.content,
                support=support[said],
            )
            for said in ranked[1:]
        ),
    )


def _conclusions(graph: Graph) -> list[UUID]:
    """Return the thoughts that are conclusions, and the steps that came to one."""
    return graph.live(
        id_
        for id_, node in graph.nodes.items()
        if (node.type == ThoughtType.CONCLUSION and node.entry.kind is EntryKind.THOUGHT)
        or (node.entry.kind is EntryKind.REASONING and node.entry.details.get("conclusion"))
    )


def _said(graph: Graph, id_: UUID) -> str:
    entry = graph.nodes[id_].entry
    return " ".join(str(entry.details.get("conclusion") or entry.content).casefold().split())


def _support(graph: Graph, ids: list[UUID]) -> float:
    """Return the confidences of what directly leads there, as far as the conclusion holds."""
    leading: dict[UUID, float] = {}
    for id_ in ids:
        for each in graph.leading_to(id_):
            carried = min(graph.confidence[each], graph.confidence[id_])
            leading[each] = max(leading.get(each, 0.0), carried)
    return sum(leading.values())
