"""The reasoning graph: confidence, circles, verification, pruning, convergence."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pinak_ray.agents.scratchpad.graph import graph_of
from pinak_ray.records.errors import Conflict, NotFound
from pinak_ray.records.scratchpad.parts import Observe, Reason, Uncertainty
from pinak_ray.records.scratchpad.thoughts import (
    ConvergentAnswer,
    Edge,
    EdgeKind,
    FlawKind,
    PruneThoughts,
    Think,
    Thoughts,
    ThoughtType,
    VerifyReasoning,
)
from pinak_ray.records.state.owners import EntryKind
from tests.support.scratchpads import Scratchpad

SHARES = st.floats(0, 1)
DRAWN = st.lists(
    st.tuples(
        SHARES, st.lists(st.tuples(st.sampled_from(EdgeKind), st.integers(0, 8)), max_size=3)
    ),
    min_size=1,
    max_size=9,
)


def thought(pad: Scratchpad, score: float = 0.5, *edges: tuple[str, UUID], **fields: Any) -> UUID:
    """Add a thought."""
    drawn = tuple(Edge(kind=EdgeKind(kind), to=to) for kind, to in edges)
    return pad.made(Think(content=fields.pop("content", "x"), score=score, edges=drawn, **fields))


def confidence(pad: Scratchpad) -> dict[UUID, float]:
    """Return how sure each node is."""
    return dict(graph_of(pad.log, pad.now).confidence)


def drawn_on(pad: Scratchpad, nodes: list[tuple[float, list[tuple[EdgeKind, int]]]]) -> list[UUID]:
    """Add thoughts, each with edges to earlier ones; return those that closed no circle."""
    ids: list[UUID] = []
    for score, edges in nodes:
        targets = [(kind.value, ids[at % len(ids)]) for kind, at in edges if ids]
        try:
            ids.append(thought(pad, score, *targets))
        except Conflict:
            continue
    return ids


@given(DRAWN)
def test_confidence_is_bounded(nodes: Any) -> None:
    """However thoughts hang together, each is between 0 and 1 sure, and no circle was made."""
    pad = Scratchpad()
    ids = drawn_on(pad, nodes)
    sure = confidence(pad)

    assert sure.keys() == set(ids)
    assert all(0 <= each <= 1 for each in sure.values())
    graph = graph_of(pad.log, pad.now)
    assert all(id_ not in graph.behind(id_) for id_ in ids)


@given(DRAWN, st.data())
def test_support_never_lowers_and_contradiction_never_raises(nodes: Any, data: Any) -> None:
    """One more supporter does not lower a node, one more contradictor does not raise it.

    Unless what speaks against it rests on it: a refinement that contradicts what it refines is the
    surer the surer that is.
    """
    for kind, sign in ((EdgeKind.SUPPORTS, 1), (EdgeKind.CONTRADICTS, -1)):
        pad = Scratchpad()
        ids = drawn_on(pad, nodes)
        target = data.draw(st.sampled_from(ids))
        graph = graph_of(pad.log, pad.now)
        against = [c for on in (target, *graph.behind(target)) for c in graph.nodes[on].against]
        assume(not any(target in graph.behind(each) for each in against))
        before = confidence(pad)[target]
        thought(pad, data.draw(SHARES), (kind.value, target))

        assert sign * (confidence(pad)[target] - before) >= -1e-12


def test_a_chain_is_as_strong_as_its_weakest_link() -> None:
    """A conclusion is never surer than what it rests on, however far behind."""
    pad = Scratchpad()
    weak = thought(pad, 0.3)
    middle = thought(pad, 0.9, ("derives_from", weak))
    end = thought(pad, 0.8, ("derives_from", middle))

    assert confidence(pad) == {weak: 0.3, middle: 0.3, end: 0.3}


def test_equals_that_contradict_each_other_keep_half() -> None:
    """A contradiction of two observations leaves neither as it was, and neither at nothing."""
    pad = Scratchpad()
    first = pad.made(Observe(content="hot"))
    second = pad.made(Observe(content="cold", contradicts=(first,)))

    assert confidence(pad) == {first: 0.5, second: 1.0}
    pad.do(Reason(content="it is cold, I saw it", confidence=1.0, contradicts=(second,)))
    assert confidence(pad)[second] == 0.5


def test_circles_are_refused() -> None:
    """Neither over one edge nor over many can a thought rest on what it supports."""
    pad = Scratchpad()
    first = thought(pad)
    ids = [first]
    for _ in range(3):
        ids.append(thought(pad, 0.5, ("derives_from", ids[-1])))
    for edges in (
        [("supports", first), ("derives_from", first)],
        [("supports", first), ("aggregates", ids[-1])],
    ):
        with pytest.raises(Conflict):
            thought(pad, 0.5, *edges)
    thought(pad, 0.5, ("contradicts", first), ("derives_from", ids[-1]))
    thought(pad, 0.5, ("supports", ids[-1]), ("derives_from", first))

    assert len(pad.entries(EntryKind.THOUGHT)) == 6


def test_circles_through_pruned_thoughts_are_refused_too() -> None:
    """What is pruned carries nothing, but its edges are still there."""
    pad = Scratchpad()
    first = thought(pad, 0.9)
    weak = thought(pad, 0.1, ("derives_from", first))
    last = thought(pad, 0.9, ("derives_from", weak))
    pad.do(PruneThoughts(min_score=0.2))
    with pytest.raises(Conflict):
        thought(pad, 0.5, ("supports", first), ("derives_from", last))


def test_steps_posted_in_a_circle_do_no_harm() -> None:
    """Steps that were posted by hand may name each other; their views still come to an end."""
    pad = Scratchpad()
    first = pad.post(EntryKind.REASONING, orjson.dumps({"premises": ["x", 3]}))
    own = uuid4()
    pad.post(EntryKind.REASONING, orjson.dumps({"premises": [first, own], "confidence": "high"}))
    for _ in range(2):
        entry = pad.entries(EntryKind.REASONING)[0]
        named = {"premises": [str(pad.entries(EntryKind.REASONING)[1].id), str(entry.id)]}
        pad.log._put(entry._replace(encoded_details=orjson.dumps(named)))

    assert len(pad.show(VerifyReasoning()).checked) == 2
    assert pad.show(ConvergentAnswer()).conclusion is None


def test_unknown_ends_are_refused() -> None:
    """An edge leads to something that is there."""
    with pytest.raises(NotFound):
        thought(Scratchpad(), 0.5, ("supports", uuid4()))


def test_flaws_are_named() -> None:
    """Missing, low and contradicted premises are told apart, and found where they are."""
    pad = Scratchpad()
    seen = pad.made(Observe(content="seen"))
    low = thought(pad, 0.4, ("derives_from", seen))
    bare = pad.made(Reason(content="out of nothing"))
    on_low = pad.made(Reason(content="on a low one", premises=(low,), confidence=0.9))
    fine = pad.made(Reason(content="on what was seen", premises=(seen,), confidence=0.9))
    gone = pad.post(EntryKind.REASONING, orjson.dumps({"premises": [uuid4()], "confidence": 1}))

    checked = {each.thought.id: each for each in pad.show(VerifyReasoning()).checked}
    flaws = {id_: [(f.kind, f.at) for f in each.flaws] for id_, each in checked.items()}
    assert flaws[bare] == [(FlawKind.UNFOUNDED, bare)]
    assert flaws[on_low] == [(FlawKind.LOW, low)]
    assert flaws[fine] == []
    assert [kind for kind, _ in flaws[gone]] == [FlawKind.MISSING]
    assert {id_: each.uncertainty for id_, each in checked.items()} == {
        low: Uncertainty.LOW,
        bare: Uncertainty.UNVERIFIED,
        on_low: Uncertainty.LOW,
        fine: Uncertainty.HIGH,
        gone: Uncertainty.MISSING,
    }


def test_a_contradiction_is_heard_of_however_far_away() -> None:
    """What rests on something disputed is conflicting, whatever its author said of it."""
    pad = Scratchpad()
    seen = pad.made(Observe(content="seen"))
    step = pad.made(Reason(content="so", premises=(seen,), uncertainty=Uncertainty.HIGH))
    pad.do(Reason(content="and so", premises=(step,), confidence=0.9))
    states = [each.uncertainty for each in pad.show(VerifyReasoning()).checked]
    assert states == [Uncertainty.HIGH, Uncertainty.MEDIUM]

    pad.do(Think(content="no", edges=(Edge(kind=EdgeKind.CRITIQUES, to=seen),)))
    verification = pad.show(VerifyReasoning())
    assert [each.uncertainty for each in verification.checked] == [Uncertainty.CONFLICTING] * 2
    disputed = [flaw for each in verification.checked for flaw in each.flaws]
    assert {(flaw.kind, flaw.at) for flaw in disputed} == {(FlawKind.CONTRADICTED, seen)}


@pytest.mark.parametrize("said", list(Uncertainty))
def test_an_author_may_say_how_uncertain(said: Uncertainty) -> None:
    """Each of the six can be said of a step, and is what is shown."""
    pad = Scratchpad()
    seen = pad.made(Observe(content="seen"))
    pad.do(Reason(content="so", premises=(seen,), uncertainty=said))

    assert pad.show(VerifyReasoning()).checked[0].uncertainty is said


def test_pruning_marks_and_keeps() -> None:
    """Weak thoughts are marked with what falls without them, once; they stay readable."""
    pad = Scratchpad()
    weak = thought(pad, 0.2)
    on_weak = thought(pad, 0.9, ("derives_from", weak))
    fine = thought(pad, 0.8)
    assert set(pad.do(PruneThoughts(min_score=0.5)).pruned) == {weak, on_weak}
    seq = pad.log.seq

    assert set(pad.do(PruneThoughts(min_score=0.5)).pruned) == {weak, on_weak}
    assert pad.log.seq == seq
    assert [each.id for each in pad.show(Thoughts()).thoughts] == [fine]
    assert len(pad.show(Thoughts(pruned=True)).thoughts) == 3
    assert [each.id for each in pad.again().show(Thoughts()).thoughts] == [fine]


@given(DRAWN, SHARES)
def test_pruning_comes_to_an_end(nodes: Any, bar: float) -> None:
    """After pruning no thought is left below the bar."""
    pad = Scratchpad()
    drawn_on(pad, nodes)
    pruned = set(pad.do(PruneThoughts(min_score=bar)).pruned)

    left = {id_: sure for id_, sure in confidence(pad).items() if id_ not in pruned}
    assert all(sure >= bar for sure in left.values())


def test_lines_converge() -> None:
    """The conclusion that most leads to wins, equal texts together, with the path to it."""
    pad = Scratchpad()
    seen = [pad.made(Observe(content=str(number))) for number in range(4)]
    for at, said in ((0, "The lock"), (1, "the  lock")):
        pad.do(
            Think(
                content=said,
                type=ThoughtType.CONCLUSION,
                score=0.6,
                edges=(Edge(kind=EdgeKind.DERIVES_FROM, to=seen[at]),),
            )
        )
    rival = pad.made(
        Reason(content="or", conclusion="the disk", confidence=0.9, premises=(seen[2],))
    )
    thought(pad, 0.9, content="no line leads here", type=ThoughtType.CONCLUSION)

    answer = pad.show(ConvergentAnswer())
    assert (answer.conclusion.content, answer.support) == ("The lock", pytest.approx(1.2))
    assert {each.id for each in answer.path} == set(seen[:2])
    assert [each.support for each in answer.rivals] == [0.9, 0.0]
    assert answer.rivals[0].id == rival


def test_without_a_conclusion_there_is_no_answer() -> None:
    """An empty graph converges in nothing."""
    answer = Scratchpad().show(ConvergentAnswer())

    assert (answer.conclusion, answer.path, answer.rivals) == (None, (), ())
