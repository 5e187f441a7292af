"""Does what was concluded hold? Each conclusion is looked at after what it rests on."""

from datetime import datetime
from uuid import UUID

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.scratchpad.details import text_of
from pinak_ray.agents.scratchpad.graph import Graph, graph_of
from pinak_ray.records.scratchpad.parts import Uncertainty
from pinak_ray.records.scratchpad.thoughts import (
    CheckedThought,
    Flaw,
    FlawKind,
    ThoughtType,
    Verification,
    VerifyReasoning,
)
from pinak_ray.records.state.owners import EntryKind

__all__ = ["LOW", "checked_thoughts", "show_verification"]

LOW = 0.5
"""Below it a confidence is low, as memOS had it."""
_HIGH = 0.8

_CONCLUDED = (ThoughtType.CONCLUSION, ThoughtType.AGGREGATE, ThoughtType.REFINEMENT)


def show_verification(log: EntryLog, view: VerifyReasoning, now: datetime) -> Verification:
    """Return everything that was concluded, with its flaws."""
    checked = checked_thoughts(graph_of(log, now))
    return Verification(sound=not any(each.flaws for each in checked), checked=checked)


def checked_thoughts(graph: Graph) -> tuple[CheckedThought, ...]:
    """Return every step and every conclusion, premises first."""
    concluded = (id_ for id_ in graph.live(graph.order) if _is_concluded(graph, id_))
    return tuple(_checked(graph, id_) for id_ in concluded)


def _is_concluded(graph: Graph, id_: UUID) -> bool:
    node = graph.nodes[id_]
    return (
        node.entry.kind is EntryKind.REASONING
        or bool(node.premises)
        or (node.entry.kind is EntryKind.THOUGHT and node.type in _CONCLUDED)
    )


def _checked(graph: Graph, id_: UUID) -> CheckedThought:
    flaws = _flaws(graph, id_)
    return CheckedThought(
        thought=graph.thought(id_), flaws=flaws, uncertainty=_uncertainty(graph, id_, flaws)
    )


def _flaws(graph: Graph, id_: UUID) -> tuple[Flaw, ...]:
    node = graph.nodes[id_]
    if not node.premises and not graph.live(node.supporters):
        flaws = [Flaw(kind=FlawKind.UNFOUNDED, at=id_)]
    else:
        there = graph.live(node.premises)
        gone = [premise for premise in node.premises if premise not in there]
        flaws = [Flaw(kind=FlawKind.MISSING, at=premise) for premise in gone]
        flaws += [
            Flaw(kind=FlawKind.LOW, at=each) for each in there if graph.confidence[each] < LOW
        ]
    # However far behind it lies: what rests on something disputed is disputed.
    disputed = [each for each in (*graph.behind(id_), id_) if graph.contradicted(each)]
    return (*flaws, *(Flaw(kind=FlawKind.CONTRADICTED, at=each) for each in disputed))


def _uncertainty(graph: Graph, id_: UUID, flaws: tuple[Flaw, ...]) -> Uncertainty:
    """Return what the graph shows, else what the author said, else what the confidence says."""
    kinds = {flaw.kind for flaw in flaws}
    if FlawKind.CONTRADICTED in kinds:
        return Uncertainty.CONFLICTING
    if FlawKind.MISSING in kinds:
        return Uncertainty.MISSING
    said = text_of(graph.nodes[id_].entry.details, "uncertainty")
    if said in set(Uncertainty):
        return Uncertainty(said)
    if FlawKind.UNFOUNDED in kinds:
        return Uncertainty.UNVERIFIED
    sure = graph.confidence[id_]
    return (
        Uncertainty.HIGH
        if sure >= _HIGH
        else Uncertainty.MEDIUM
        if sure >= LOW
        else Uncertainty.LOW
    )
