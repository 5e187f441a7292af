"""A team divides the work on a board, over each wire and in the twin."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from pinak_ray import Conflict, InvalidInput, NotFound, Swarm
from pinak_ray.client.handles.board.handle import BoardHandle
from pinak_ray.records.board.tasks import TaskClaim, TaskStatus

WORKERS = 16
TASKS = 8


async def test_each_task_goes_to_one_of_many_claimers(swarm: Swarm) -> None:
    """16 agents claim 8 tasks at once: each task goes to one, and the others hear of none left."""
    board = swarm.board("incident")
    added = [await board.add_task(f"step {n}", author="ann") for n in range(TASKS)]
    claims = await asyncio.gather(*(board.claim(author=f"worker-{n}") for n in range(WORKERS)))

    granted = [claim for claim in claims if claim.granted]
    assert Counter(claim.task for claim in granted) == Counter(task.id for task in added)
    assert [claim.task for claim in claims if not claim.granted] == [None] * (WORKERS - TASKS)


async def test_one_wanted_task_goes_to_one_claimer(swarm: Swarm) -> None:
    """Of those who ask for the same task one gets it; the others hear who has it until when."""
    board = swarm.board("incident")
    task = (await board.add_task("the only one", author="ann")).id
    claims = await asyncio.gather(
        *(board.claim(task, author=f"worker-{n}") for n in range(WORKERS))
    )

    (granted,) = (claim for claim in claims if claim.granted)
    assert granted.lease_expires_at is not None
    refused = {(claim.holder, claim.lease_expires_at) for claim in claims if not claim.granted}
    assert refused == {(granted.holder, granted.lease_expires_at)}


async def test_tasks_come_in_the_order_of_their_dependencies(swarm: Swarm) -> None:
    """A task waits for those before it and below it; the most urgent of the others comes first."""
    board = swarm.board("incident")
    root = (await board.add_task("repair", author="ann", priority=0)).id
    look = (await board.add_task("look", author="ann", parent=root)).id
    fix = (await board.add_task("fix", author="ann", parent=root, after=[look], priority=1)).id
    tell = (await board.add_task("tell", author="ann", parent=root, priority=2)).id
    refused = await board.claim(fix, author="bob")
    done = [await worked_off(board, "bob", status) for status in ("skipped", *["completed"] * 3)]

    assert (refused.granted, refused.holder, refused.waits_for) == (False, None, (look,))
    assert done == [tell, look, fix, root]
    assert not (await board.claim(author="bob")).granted
    tree = await board.tasks()
    assert tree.progress == 1
    assert [(task.title, task.depth) for task in tree.tasks] == [
        ("repair", 0), ("look", 1), ("fix", 1), ("tell", 1)
    ]  # fmt: skip


async def test_the_tree_is_shown_with_what_can_be_done_next(swarm: Swarm) -> None:
    """Statuses, what is executable, what waits for what, and how far it is: overall and below."""
    board = swarm.board("incident")
    root = (await board.add_task("repair", author="ann", details={"ticket": 7})).id
    look = (await board.add_task("look\nclosely", author="ann", parent=root)).id
    fix = (await board.add_task("fix", author="ann", parent=root, after=[look])).id
    other = (await board.add_task("other", author="ann", criteria="it is green")).id
    await board.claim(look, author="bob")
    await board.finish(look, author="bob", output={"rows": 3}, artifacts=["log.txt"])
    claim = await board.claim(other, author="bob")
    tree = await board.tasks()
    shown = {task.id: task for task in tree.tasks}

    assert (claim.criteria, claim.title) == ("it is green", "other")
    assert tree.progress == 0.25
    assert [task.id for task in tree.tasks] == [root, look, fix, other]
    assert [task.status for task in tree.tasks] == [
        TaskStatus.PENDING, TaskStatus.COMPLETED, TaskStatus.PENDING, TaskStatus.IN_PROGRESS
    ]  # fmt: skip
    assert [task.executable for task in tree.tasks] == [False, False, True, False]
    assert (shown[root].progress, shown[root].waits_for) == (0.5, (fix,))
    assert (shown[look].output, shown[look].artifacts) == ({"rows": 3}, ("log.txt",))
    assert [(past.author, past.outcome) for past in shown[look].history] == [("bob", "completed")]
    assert (shown[root].details, shown[root].author) == ({"ticket": 7}, "ann")
    assert [task.id for task in (await board.tasks(root=other)).tasks] == [other]
    assert (await board.task_markdown()).markdown == (
        "- [ ] repair (waits for 1)\n"
        "  - [x] look closely\n"
        "  - [ ] fix\n"
        "- [ ] other (in progress: bob)\n"
    )


async def test_only_the_holder_finishes_and_only_once(swarm: Swarm) -> None:
    """Others, and a holder that has finished, are refused; a claim that was taken over is lost."""
    board = swarm.board("incident")
    task = (await board.add_task("fix", author="ann")).id
    claim = await board.claim(task, author="bob")
    assert claim.version is not None
    with pytest.raises(Conflict):
        await board.finish(task, author="eve")
    with pytest.raises(Conflict):
        await board.finish(task, author="bob", version=claim.version + 1)
    with pytest.raises(Conflict):
        await board.heartbeat(task, author="eve")
    held = await board.heartbeat(task, author="bob", lease_s=3_600, version=claim.version)
    assert (held.version, held.granted) == (claim.version, True)
    assert held.lease_expires_at is not None
    assert claim.lease_expires_at is not None
    assert held.lease_expires_at > claim.lease_expires_at
    first = await board.finish(task, author="bob", idempotency_key="end", version=claim.version)
    again = await board.finish(task, author="bob", idempotency_key="end", version=claim.version)

    assert (first.new, again.new, first.id) == (True, False, again.id)
    with pytest.raises(Conflict):
        await board.finish(task, author="bob")
    assert (await board.claim(task, author="eve")).status is TaskStatus.COMPLETED


async def test_a_failed_task_holds_up_what_comes_after_it(swarm: Swarm) -> None:
    """Nothing after it, or above it, can be executed until it is tried again and succeeds."""
    board = swarm.board("incident")
    root = (await board.add_task("repair", author="ann")).id
    look = (await board.add_task("look", author="ann", parent=root)).id
    fix = (await board.add_task("fix", author="ann", parent=root, after=[look])).id
    assert await worked_off(board, "bob", "failed") == look
    assert not (await board.claim(author="bob")).granted
    with pytest.raises(Conflict):
        await board.retry(fix, author="ann")
    await board.retry(look, author="ann")

    assert [await worked_off(board, "bob", "completed") for _ in range(3)] == [look, fix, root]
    (tried,) = (task for task in (await board.tasks()).tasks if task.id == look)
    assert [past.outcome for past in tried.history] == ["failed", "completed"]


async def test_a_released_task_goes_to_the_next(swarm: Swarm) -> None:
    """Whoever gives a task back no longer holds it, and the next lease has a higher version."""
    board = swarm.board("incident")
    task = (await board.add_task("fix", author="ann")).id
    first = await board.claim(author="bob")
    await board.release(task, author="bob", version=first.version)
    with pytest.raises(Conflict):
        await board.release(task, author="bob")
    second = await board.claim(author="eve")

    assert (first.task, second.task) == (task, task)
    assert first.version is not None
    assert second.version is not None
    assert second.version > first.version


async def test_a_claim_with_the_same_key_takes_no_second_task(swarm: Swarm) -> None:
    """The repeated claim finds what it was granted; a new one of the same author takes the next."""
    board = swarm.board("incident")
    for title in ("one", "two"):
        await board.add_task(title, author="ann")
    first = await board.claim(author="bob", idempotency_key="claim-1")
    again = await board.claim(author="bob", idempotency_key="claim-1")
    another = await board.claim(author="bob")

    assert (first.task, first.version) == (again.task, again.version)
    assert (first.title, another.title) == ("one", "two")


async def test_a_task_is_added_once(swarm: Swarm) -> None:
    """The same key is the same task, and so is the same idempotency key, even after it changed."""
    board = swarm.board("incident")
    named = [await board.add_task("fix", author=author, key="fix") for author in ("ann", "bob")]
    keyed = await board.add_task("look", author="ann", idempotency_key="add-1")
    await board.claim(keyed.id, author="bob")
    again = await board.add_task("look", author="ann", idempotency_key="add-1")

    assert ([receipt.new for receipt in named], named[0].id) == ([True, False], named[1].id)
    assert (again.new, again.id) == (False, keyed.id)
    assert len((await board.tasks()).tasks) == 2


async def test_a_task_that_cannot_be_is_refused(swarm: Swarm) -> None:
    """Unknown tasks, cycles, parents that are over, and what is no task: nothing is added."""
    board = swarm.board("incident")
    root = (await board.add_task("repair", author="ann")).id
    child = (await board.add_task("look", author="ann", parent=root)).id
    later = (await board.add_task("later", author="ann", after=[root])).id
    over = (await board.add_task("over", author="ann")).id
    await board.claim(over, author="ann")
    await board.finish(over, author="ann")
    note = (await board.tell("not a task", author="ann")).id

    for after in ([root], [later], [child, later]):
        with pytest.raises(InvalidInput, match="waits for it"):
            await board.add_task("cycle", author="ann", parent=root, after=after)
    for unknown in (uuid4(), note):
        with pytest.raises(NotFound):
            await board.add_task("lost", author="ann", after=[unknown])
        with pytest.raises(NotFound):
            await board.add_task("lost", author="ann", parent=unknown)
        with pytest.raises(NotFound):
            await board.claim(unknown, author="ann")
        with pytest.raises(NotFound):
            await board.tasks(root=unknown)
    with pytest.raises(Conflict):
        await board.add_task("late", author="ann", parent=over)
    with pytest.raises(InvalidInput, match="priority"):
        await board.add_task("x", author="ann", priority=10)
    with pytest.raises(InvalidInput, match="lease_s"):
        await board.claim(author="ann", lease_s=0)
    with pytest.raises(InvalidInput, match="status"):
        await board.finish(root, author="ann", status="pending")
    assert len((await board.tasks()).tasks) == 4


async def test_a_parent_cannot_end_before_its_children(swarm: Swarm) -> None:
    """A task that is decomposed while it is held is given back, or fails; it is not completed."""
    board = swarm.board("incident")
    root = (await board.add_task("repair", author="ann")).id
    await board.claim(root, author="ann")
    await board.add_task("look", author="ann", parent=root)
    with pytest.raises(Conflict):
        await board.finish(root, author="ann")
    await board.release(root, author="ann")

    assert (await board.claim(author="bob")).title == "look"


async def test_what_is_done_once_is_done_by_one(swarm: Swarm) -> None:
    """One of many is to do it; the others hear who does it, later all hear the result."""
    board = swarm.board("incident")
    asked = await asyncio.gather(
        *(board.claim_once("Who locks  orders?", author=f"worker-{n}") for n in range(WORKERS))
    )
    (granted,) = (claim for claim in asked if claim.granted)
    assert {claim.holder for claim in asked} == {granted.holder}
    with pytest.raises(Conflict):
        await board.done("who locks orders?", author="eve", result="nobody")
    renewed = await board.claim_once("WHO LOCKS ORDERS?", author=granted.holder)
    await board.done("who locks orders?", author=granted.holder, result=["migration 42"])
    later = await board.claim_once("who locks orders?", author="eve")

    assert renewed.granted
    assert (later.granted, later.done, later.result) == (False, True, ["migration 42"])
    assert (later.holder, later.expires_at) == (granted.holder, None)
    with pytest.raises(Conflict):
        await board.done("who locks orders?", author="eve")


async def test_claims_are_listed_newest_first(swarm: Swarm) -> None:
    """A URL counts without what does not change the page; done without a claim is done, too."""
    board = swarm.board("incident")
    url = "HTTPS://Wiki.example/Runbook/?q=A#top"
    await board.claim_once(url, author="ann")
    await board.done("looked at the logs", author="bob", result=1, ttl_s=60)
    same = await board.claim_once("https://wiki.example/Runbook?q=A", author="bob")
    claims = (await board.claims()).claims

    assert (same.granted, same.holder) == (False, "ann")
    assert [(claim.subject, claim.holder, claim.done) for claim in claims] == [
        ("looked at the logs", "bob", True), ("https://wiki.example/Runbook?q=A", "ann", False)
    ]  # fmt: skip
    assert all(claim.expires_at is not None for claim in claims)
    assert len((await board.claims(limit=1)).claims) == 1


async def test_claims_and_tasks_can_be_watched(swarm: Swarm) -> None:
    """Each change of a task is a new version of one entry."""
    board = swarm.board("incident")
    task = (await board.add_task("fix", author="ann")).id
    await board.claim(task, author="bob")
    await board.claim_once("fix", author="bob")
    entries = await board.read(kinds=["task", "claim"])

    assert [(entry.kind, entry.author, entry.version) for entry in entries] == [
        ("task", "ann", 2), ("claim", "bob", 1)
    ]  # fmt: skip
    assert entries[0].details["lease"]["holder"] == "bob"


async def worked_off(board: BoardHandle, author: str, status: str) -> object:
    """Claim the most urgent task, end it so, and return its id."""
    claim: TaskClaim = await board.claim(author=author)
    assert claim.task is not None
    await board.finish(claim.task, author=author, status=status, version=claim.version)
    return claim.task
