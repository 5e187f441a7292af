"""What an agent needs in a prompt, over each wire and in the twin."""

from pinak_ray import Swarm
from pinak_ray.records.memory.context import Context, estimate_tokens

FAILURE = "deploy of orders to production failed: migration 42 locks orders"
INTENT = "deploy orders to production"


def lines_of(context: Context, section: str) -> list[str]:
    """Return the lines of one section: they stand in the order of the sections."""
    lines = iter(context.text.split("\n"))
    shown = {one.name: [next(lines) for _ in range(one.items)] for one in context.sections}
    return shown[section]


async def test_each_section_is_rendered(swarm: Swarm) -> None:
    """Intent, nudge, working memory, the board's open points, what is recalled: in this order."""
    ann, board = swarm.agent("ann"), swarm.board("incident")
    await ann.remember(FAILURE, outcome="failure", ack="searchable")
    await ann.remember("orders has two replicas in production", ack="searchable")
    await ann.intend(INTENT, tool="kubectl", arguments={"service": "orders"})
    await ann.note("plan", {"step": 1})
    task = await board.add_task("find\nthe lock", author="bob")
    await board.claim(task.id, author="ann")
    await board.add_task("page the owner", author="bob")
    await board.tell("take the replica", author="bob", to="ann")
    await board.tell("I look at the logs", author="ann")
    await board.ask("who holds the lock?", author="bob", key="who")
    await board.partial("who", author="bob", gaps=["its pid", "since when"])
    await board.ask("since when?", author="bob", key="when")
    await board.answer("when", "02:14", author="bob")
    one, other = [await board.post(f"it is {name}", author="bob") for name in ("one", "two")]
    settled = await board.contradict(one.id, other.id, "one or two?", author="eve")
    await board.resolve(settled.id, "two", author="eve")
    third = await board.post("it is three", author="bob")
    await board.contradict(one.id, third.id, "one or three?", author="eve")
    context = await ann.context(board="incident")

    (intent,) = await ann.recollect("$intent")
    assert intent.value == {"text": INTENT, "tool": "kubectl", "arguments": {"service": "orders"}}
    assert lines_of(context, "intent") == [f"intent: {INTENT} (kubectl)"]
    (nudge,) = lines_of(context, "nudges")
    assert nudge.startswith("nudge, ")
    assert nudge.endswith(FAILURE)
    assert lines_of(context, "working_memory") == ['plan: {"step":1}']
    assert lines_of(context, "board") == [
        "task, bob, yours: find the lock",
        "note, bob, to you: take the replica",
        "contradiction, eve, open: one or three?",
        "question, bob, partial: who holds the lock? (missing: its pid; since when)",
        "task, bob, executable: page the owner",
    ]
    (memory,) = lines_of(context, "memories")  # the failure is its nudge's evidence already
    assert memory.startswith("memory, ann, ")
    assert memory.endswith("two replicas in production")


async def test_open_points_are_those_that_concern_the_reader(swarm: Swarm) -> None:
    """Another's task and note are not open for it, nor is what is done; the limit holds."""
    board = swarm.board("incident")
    mine, other = [await board.add_task(title, author="bob") for title in ("mine", "other")]
    for task, holder in ((mine, "ann"), (other, "eve")):
        await board.claim(task.id, author=holder)
    await board.tell("for eve", author="bob", to="eve")
    await board.ask("why?", author="bob", key="why")
    open_ = await board.open_points(reader="ann")

    assert [(p.kind, p.text, p.state) for p in open_.points] == [
        ("task", "mine", "yours"), ("question", "why?", "unanswered")
    ]  # fmt: skip
    assert open_.points[0].id == mine.id
    assert (await board.open_points(reader="ann", limit=1)).points == open_.points[:1]
    await board.finish(mine.id, author="ann")
    await board.answer("why", "because", author="ann")
    after = await board.open_points(reader="ann")
    assert after.points == ()
    assert after.whole_tokens > 0


async def test_the_saving_is_measured(swarm: Swarm) -> None:
    """Numbers say what the whole of it would have cost; a small budget saves more than a large."""
    ann, board = swarm.agent("ann"), swarm.board("incident")
    for n in range(20):
        await board.post(f"finding {n} about the orders service", author="bob")
        await ann.note(f"step-{n}", f"looked at host {n}")
    await board.tell("page the owner", author="bob")
    small, large = [await ann.context(tokens, board="incident") for tokens in (60, 100_000)]

    assert estimate_tokens(small.text) <= small.tokens <= 60
    assert small.eligible_tokens == large.eligible_tokens
    assert small.saving == round(1 - small.tokens / small.eligible_tokens, 4) > large.saving > 0
    assert (large.items, large.omitted) == (21, 0)
    assert small.items + small.omitted == 21
    of_board = next(section for section in large.sections if section.name == "board")
    assert of_board.items == 1
    assert of_board.eligible_tokens > 20 * of_board.tokens  # its findings are not shown
    assert set(small.text.split("\n")) <= set(large.text.split("\n"))


async def test_reading_a_context_says_nothing(swarm: Swarm) -> None:
    """A nudge in a context does not count as shown, and the intent is as old as it was."""
    ann = swarm.agent("ann")
    assert await ann.intend(INTENT, tool="kubectl") == ()
    await ann.remember(FAILURE, outcome="failure", ack="searchable")
    before = await ann.recollect("$intent")
    first, second = await ann.context(), await ann.context()
    after = await ann.recollect("$intent")
    nudges = await ann.intend(INTENT, tool="kubectl")

    assert first == second
    assert len(lines_of(first, "nudges")) == len(nudges) == 1
    assert [(item.version, item.updated_at) for item in before] == [
        (item.version, item.updated_at) for item in after
    ]


async def test_a_query_asks_for_other_memories(swarm: Swarm) -> None:
    """Memories are recalled for the query where one is given, and for the intent otherwise."""
    ann = swarm.agent("ann")
    await ann.remember("the espresso machine needs descaling", ack="searchable")
    await ann.intend("water the office plants")

    asked = await ann.context(query="espresso machine descaling")
    assert lines_of(asked, "memories")[0].endswith("the espresso machine needs descaling")
    assert (await swarm.agent("bob").context()).text == ""
