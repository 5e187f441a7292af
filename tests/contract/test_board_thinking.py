"""How a team thinks on a board, over each wire and in the twin."""

import pytest

from pinak_ray import Swarm
from pinak_ray.client.handles.board.handle import BoardHandle
from pinak_ray.records.board.progress import Step
from pinak_ray.records.board.questions import BoardQuestion, QuestionStatus
from pinak_ray.records.errors import Conflict, InvalidInput, NotFound
from pinak_ray.records.state.owners import EntryKind


async def the_question(board: BoardHandle) -> BoardQuestion:
    """Return the board's first question."""
    return (await board.progress()).questions[0]


async def test_a_team_answers_a_question(swarm: Swarm) -> None:
    """Asked, searched, answered in part with a gap, then answered; the board is complete then."""
    board = swarm.board("incident/ü")
    asked = await board.ask("Why is it slow?", author="ann", key="why", criteria="a cause")
    again = await board.ask("why is it  SLOW?", author="bob")
    assert (again.id, again.new) == (asked.id, False)
    similar = await board.similar_question("why is it so slow?")
    assert similar.question is not None
    assert similar.question.id == asked.id
    assert (await board.next_step()).step is Step.SEARCH

    await board.search("why", author="bob")
    assert (await the_question(board)).searched_by == "bob"
    found = await board.post(
        "orders is locked",
        author="bob",
        type="statistic",
        source_url="http://db/locks",
        source_title="pg_locks",
        confidence=0.75,
        questions=[asked.id],
        verified=True,
    )
    await board.partial("why", author="bob", gaps=["which query"], confidence=0.6)
    question = await the_question(board)
    assert (question.status, question.confidence, question.gaps, question.findings) == (
        QuestionStatus.PARTIAL,
        0.75,
        ("which query",),
        1,
    )

    await board.answer("why", "a lock on orders", author="eve", findings=[found.id])
    question = await the_question(board)
    assert (question.status, question.answered_by, question.criteria, question.gaps) == (
        QuestionStatus.ANSWERED,
        "eve",
        "a cause",
        (),
    )
    progress = await board.progress()
    assert (progress.complete, progress.confidence, progress.open_actions) == (True, 0.8, 0)
    assert (await board.next_step()).step is Step.CONCLUDE
    await board.post("it is slow at night", author="ann", questions=["why"])
    assert (await the_question(board)).status is QuestionStatus.ANSWERED


async def test_the_same_content_is_one_finding(swarm: Swarm) -> None:
    """Who posts it again hears of the first one, which unites what both said."""
    board = swarm.board("incident")
    first = await board.post("orders is locked", author="ann", details={"table": "orders"})
    same = await board.post("Orders is  LOCKED", author="ann")
    more = await board.post("orders is locked", author="bob", confidence=0.9, source_url="http://b")

    assert (first.new, same.new) == (True, False)
    assert first.id == same.id == more.id
    (entry,) = await board.read(kinds=[EntryKind.FINDING])
    assert (entry.author, entry.content, entry.version) == ("ann", "orders is locked", 2)
    assert entry.details == {
        "table": "orders",
        "confidence": 0.9,
        "found_by": ["bob"],
        "sources": [{"url": "http://b"}],
    }


async def test_a_contradiction_is_resolved_with_a_record(swarm: Swarm) -> None:
    """Its question is in conflict until then; watchers see each change of it."""
    board = swarm.board("incident")
    await board.ask("Which port?", author="ann", key="port")
    one = await board.post("it is 5432", author="ann", questions=["port"])
    two = await board.post("it is 5433", author="bob", questions=["port"])
    seen = await board.contradict(one.id, two.id, "two ports", author="eve")
    assert (await the_question(board)).status is QuestionStatus.CONFLICT
    step = await board.next_step()
    assert (step.step, step.about) == (Step.RESOLVE, seen.id)
    (action,) = (await board.actions()).actions
    assert (action.type, action.priority) == ("resolve_contradiction", 1)

    await board.resolve(seen.id, "asked the DBA", author="ann", kept=two.id)
    with pytest.raises(Conflict):
        await board.resolve(seen.id, "guessed", author="bob")
    assert (await the_question(board)).status is QuestionStatus.PARTIAL
    refuted = {e.content: "refuted_by" in e.details for e in await board.read(kinds=["finding"])}
    assert refuted == {"it is 5432": True, "it is 5433": False}
    async with board.watch(kinds=["contradiction"]) as watcher:
        entry = await anext(watcher)
    assert (entry.details["resolved_by"], entry.details["kept"]) == ("ann", str(two.id))


async def test_findings_that_seem_to_contradict_each_other_are_found(swarm: Swarm) -> None:
    """Another value of the same thing on one question is suspected until somebody says so."""
    board = swarm.board("incident")
    asked = await board.ask("Which port?", author="ann", key="port")
    other = await board.ask("Which disk?", author="ann", key="disk")
    one = await board.post("orders listens on port 5432", author="ann", questions=["port"])
    two = await board.post("orders listens on port 5433", author="bob", questions=["port"])
    await board.post("billing listens on port 5434", author="bob", questions=["port"])
    await board.post("orders listens on port 5435", author="bob", questions=["disk"])

    (suspicion,) = (await board.suspected()).suspicions
    assert (suspicion.question, set(suspicion.findings)) == (asked.id, {one.id, two.id})
    assert "port 5433" in suspicion.description
    assert (await board.suspected(question=asked.id)).suspicions == (suspicion,)
    assert (await board.suspected(question=other.id)).suspicions == ()
    await board.contradict(*suspicion.findings, suspicion.description, author="eve")
    assert (await board.suspected()).suspicions == ()


async def test_an_action_is_taken_by_one_agent(swarm: Swarm) -> None:
    """The most urgent first; what is taken is still shown, until its taker finishes it."""
    board = swarm.board("incident")
    await board.push_action("sum_up", author="ann", priority=7)
    await board.push_action("dig", author="ann", priority=2, details={"in": ["logs"]})

    taken = (await board.take_action(author="bob", lease_s=600)).action
    assert taken is not None
    assert (taken.type, taken.details, taken.taken_by) == ("dig", {"in": ["logs"]}, "bob")
    assert (await board.take_action(author="eve", types=["dig"])).action is None
    assert [a.taken_by for a in (await board.actions()).actions] == ["bob", None]
    with pytest.raises(Conflict):
        await board.finish_action(taken.id, "found it", author="eve")
    await board.finish_action(taken.id, "found it", author="bob")
    assert [a.type for a in (await board.actions(types=["dig", "sum_up"])).actions] == ["sum_up"]


async def test_a_retry_with_the_same_key_is_done_once(swarm: Swarm) -> None:
    """Each command may be sent again: no second entry, and no second action is taken."""
    board = swarm.board("incident")
    taken = []
    for _ in range(2):
        await board.ask("Why?", author="ann", key="why", idempotency_key="ask")
        one = await board.post("one", author="ann", questions=["why"], idempotency_key="one")
        two = await board.post("two", author="ann", idempotency_key="two")
        await board.partial("why", author="ann", gaps=["who"], idempotency_key="gaps")
        at_odds = await board.contradict(one.id, two.id, "x", author="ann", idempotency_key="c")
        await board.push_action("dig", author="ann", idempotency_key="dig")
        await board.push_action("sum_up", author="ann", priority=9, idempotency_key="sum")
        types = ["dig", "sum_up"]
        taken.append(
            (await board.take_action(author="bob", types=types, idempotency_key="t")).action
        )
    action = taken[0]
    assert action is not None
    assert taken == [action, action]
    for _ in range(2):
        await board.resolve(at_odds.id, "asked", author="ann", idempotency_key="r")
        await board.answer("why", "so", author="ann", idempotency_key="a")
        await board.finish_action(action.id, "dug", author="bob", idempotency_key="f")

    progress = await board.progress()
    assert (progress.asked, progress.findings, progress.open_actions) == (1, 2, 1)
    assert len(await board.read()) == 8


async def test_the_board_is_read_as_markdown(swarm: Swarm) -> None:
    """Open points first, and no more characters than wanted."""
    board = swarm.board("incident")
    await board.ask("Why is it slow?", author="ann")
    await board.post("v2", author="ann", kind="public", key="release")
    await board.tell("on it " * 20, author="bob")

    shown = await board.markdown()
    assert "- [ ] Why is it slow? (unanswered, 0.00, 0 findings)\n" in shown.text
    assert "- release: v2 (ann)\n" in shown.text
    assert (await board.markdown(max_chars=200)).omitted > 0 == shown.omitted


async def test_what_cannot_be_is_refused(swarm: Swarm) -> None:
    """Nothing is stored of a finding on no question, nor of one that says impossible things."""
    board = swarm.board("incident")
    with pytest.raises(NotFound):
        await board.post("x", author="ann", questions=["why"])
    with pytest.raises(NotFound):
        await board.answer("why", "x", author="ann")
    for fields in (
        {"type": "rumour"},
        {"confidence": 1.5},
        {"details": {"verified": 1}},
        {"kind": "contradiction"},
        {"kind": "public", "key": "k", "verified": True},
    ):
        with pytest.raises(InvalidInput):
            await board.post("x", author="ann", **fields)
    with pytest.raises(InvalidInput):
        await board.push_action("dig", author="ann", priority=10)

    assert await board.read() == ()
