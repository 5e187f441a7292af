"""Eight agents solve an incident on one board; a ninth, started later, knows what they learned.

Run `pinak-ray up` first, then this (`--json` for one object). They divide the work by claiming
tasks, look nothing up twice, meet a contradiction and resolve it, answer four questions, and turn
what they found into memories. In the middle the host that holds their board is killed with SIGKILL.
Exit code 1 if a promise is broken: a finding lost, a task done twice, a question left open.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import ray
from rich.console import Console
from rich.markup import escape

from pinak_ray import AgentHandle, BoardHandle, Swarm, connect
from pinak_ray.cli.demo.crash import kill_host
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.records.state.owners import Entry, Owner, Space

Log = dict[str, list[Any]]
Tell = Callable[[str, str, str], None]

TEAM = ("ann", "bob", "cleo", "dan", "eve", "finn", "gus", "hana")
LEAD = "lead"
LOGGED = ("done", "found", "looked up", "graded", "failure", "promoted")
PATIENCE_S = 240.0  # the whole story takes some 15 s; after this long something hangs

# What another company published after its outage: the team remembers it from the start.
OUTAGE = ("GoCardless: A quick schema change waited behind a long read query, its lock queue "
          "blocked every query on a critical PostgreSQL table.")  # fmt: skip

# What can be looked up. Three tasks need the list of sessions; one agent shall fetch it.
SOURCES = {
    "log://checkout": "02:14 until now: every request times out after 30 s",
    "metrics://edge": "requests as yesterday, errors since 02:14",
    "metrics://database": "480 connections, processors idle, disk idle",
    "ci://deploys": "02:13 migration 42: ALTER TABLE payments ADD COLUMN risk_score",
    "dashboard://slow": "longest statement: nightly backup (as of yesterday)",
    "psql://sessions": "finance report since 01:50; ALTER TABLE payments waits; 480 SELECT wait",
}

QUESTIONS = {  # by the task that answers it
    "errors": "Who is affected, and since when?",
    "deploys": "What changed before it began?",
    "judge": "What blocks the payments table?",
    "repair": "What ends it, and keeps it from coming back?",
}


class Step(NamedTuple):
    """One task: the question it bears on, where to look, what will be found, what comes before."""

    title: str
    question: str
    source: str
    finding: str
    after: tuple[str, ...] = ()


STEPS = {
    "errors": Step("read what checkout logs", "errors", "log://checkout",
                   "every checkout since 02:14 timed out"),
    "traffic": Step("compare the traffic with yesterday's", "errors", "metrics://edge",
                    "traffic is as yesterday, so this is no overload"),
    "deploys": Step("list what was deployed", "deploys", "ci://deploys",
                    "migration 42, an ALTER TABLE on payments, began at 02:13"),
    "load": Step("look at the database's load", "judge", "metrics://database",
                 "the database idles while 480 connections wait for a lock"),
    "queue": Step("see what waits for payments", "judge", "psql://sessions",
                  "480 queries on payments wait behind migration 42, which waits itself"),
    "stale": Step("find the slowest statement", "judge", "dashboard://slow",
                  "the lock on payments is held by the nightly backup"),
    "live": Step("find who holds the lock", "judge", "psql://sessions",
                 "the lock on payments is held by a finance report that runs since 01:50"),
    "history": Step("ask whether this happened before", "judge", "memory",
                    "others were down for it: a schema change queues behind a long read query"),
    "judge": Step("decide who holds the lock", "judge", "board", "migration 42 waited behind a "
                  "report, and every query on payments behind migration 42", ("stale", "live")),
    "repair": Step("end it", "repair", "psql://sessions", "without migration 42 checkout answers; "
                   "with lock_timeout = 2s a migration gives up", ("judge", "queue", "deploys")),
}  # fmt: skip


class Worker:
    """One of the eight, and what was acknowledged to it: `log` has what it did, with ids."""

    def __init__(self, agent: AgentHandle, board: BoardHandle) -> None:
        self.agent, self.board, self.name = agent, board, agent.name
        self.log: Log = {what: [] for what in LOGGED}

    async def work(self) -> Log:
        """Take tasks until all are done: each change of a task may have freed another one."""
        await self.board.tell("I am here", author=self.name)
        async for _ in self.board.watch(kinds=["task"]):
            while (claim := await self.board.claim(author=self.name)).task and claim.granted:
                key = claim.details["step"]
                await self.investigate(key, STEPS[key])
                await self.board.finish(claim.task, author=self.name, version=claim.version)
                self.log["done"].append(key)
            if (await self.board.tasks()).progress == 1:
                break
        self.log["promoted"] += (await self.agent.scratchpad.promote()).promoted
        return self.log

    async def investigate(self, key: str, step: Step) -> None:
        """Look, think, and tell the others: the scratchpad keeps how, the board what."""
        match step.source:
            case "memory":
                seen = await self.recalled("schema change blocks queries behind a long read")
            case "board":
                seen = await self.settled(STEPS["stale"].finding, STEPS["live"].finding)
            case source:
                seen = await self.looked_up(source)
        pad = self.agent.scratchpad
        seen_id = (await pad.observe(seen, source=step.source, relevance=0.9)).id
        await pad.reason(step.title, premises=[seen_id], conclusion=step.finding, confidence=0.9)
        if key == "repair":
            await self.repair()
        found = await self.board.post(step.finding, author=self.name, source_url=step.source,
                                      confidence=0.9, questions=[step.question])  # fmt: skip
        self.log["found"].append(found.id)
        if key in QUESTIONS:
            await self.board.answer(key, step.finding, author=self.name, findings=[found.id])

    async def looked_up(self, source: str) -> str:
        """Has anyone done this? Whoever asks first looks; the others wait for what it found."""
        changes = self.board.watch(kinds=["claim"])
        while not (claim := await self.board.claim_once(source, author=self.name)).done:
            if claim.granted:
                await self.board.done(source, author=self.name, result=SOURCES[source])
                self.log["looked up"].append(source)
            else:
                await anext(changes)
        return str(claim.result)

    async def recalled(self, question: str) -> str:
        """Recall what others went through, and have it graded before relying on it."""
        hits = (await self.agent.recall(question, k=2)).hits
        grade = await self.agent.grade(question, [hit.id for hit in hits])
        self.log["graded"].append(f"{grade.quality}: {grade.action}")
        return hits[0].content

    async def settled(self, stale: str, live: str) -> str:
        """Two findings name different holders of one lock: say so, and keep the one that holds."""
        said = {one.content: one.id for one in await self.board.read(kinds=["finding"])}
        one, other = said[stale], said[live]
        doubt = await self.board.contradict(one, other, "backup or report?", author=self.name)
        how = "the dashboard is a day old, the sessions are live"
        await self.board.resolve(doubt.id, how, author=self.name, kept=other)
        return how

    async def repair(self) -> None:
        """Act, and remember the failure: whoever is about to repeat it will be warned."""
        await self.agent.intend("cancel migration 42 with pg_cancel_backend", tool="psql")
        await self.agent.scratchpad.act("cancel migration 42", output_state="checkout answers")
        what = "checkout was down: ALTER TABLE payments, while traffic was on, blocked every query"
        failure = await self.agent.remember(what, outcome="failure", ack="searchable")
        self.log["failure"].append(failure.id)


async def join_late(agent: AgentHandle, board: BoardHandle) -> dict[str, Any]:
    """Be the ninth: ask what happened, and nearly do it again."""
    found = await agent.recall("why did checkout time out?", k=5)
    nudges = await agent.intend("alter payments in place while traffic is on", tool="psql", k=3)
    context = await agent.context(300, board=board.name)
    return {
        "recalls": [hit.content for hit in found.hits],
        "warned": {str(nudge.evidence[0].id): nudge.message for nudge in nudges},
        "context": {"tokens": context.tokens, "saving": context.saving},
    }


@ray.remote(num_cpus=0, max_retries=0)
def run(agent_at_work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Let one agent work in a process of its own."""
    return asyncio.run(agent_at_work())


async def play(swarm: Swarm, tell: Tell) -> dict[str, Any]:
    """Play the incident; return what happened, and each promise with whether it was kept."""
    board, gates = swarm.board("checkout"), await prepare(swarm)
    working = [run.remote(Worker(swarm.agent(name), board).work) for name in TEAM]
    _, *logs = await asyncio.gather(narrate(board, gates, tell), *working)
    log: Log = {what: [each for own in logs for each in own[what]] for what in LOGGED}
    log["promoted"] += (await board.promote(author=LEAD)).promoted
    ninth = await run.remote(partial(join_late, swarm.agent("ida"), board))
    tell("ida", "recalls", ", ".join(ninth["recalls"][:1]).replace("\n", ": "))
    tell("ida", "hears", ", ".join(ninth["warned"].values()))
    kept = await promises(board, log, ninth)
    return {"graded": log["graded"], "ninth": ninth, "promises": kept}


async def prepare(swarm: Swarm) -> list[Any]:
    """Ask the questions and add the tasks; return the two that the lead holds back."""
    board = swarm.board("checkout")
    await swarm.agent(LEAD).remember(OUTAGE, outcome="failure", ack="searchable")
    for key, question in QUESTIONS.items():
        await board.ask(question, author=LEAD, key=key)
    gates = [(await board.add_task(title, author=LEAD)).id for title in ("muster", "lose a host")]
    for gate in gates:
        await board.claim(gate, author=LEAD, lease_s=PATIENCE_S)
    ids: dict[str, Any] = {}
    for key, step in STEPS.items():
        after = [*gates[: 2 if step.after else 1], *(ids[before] for before in step.after)]
        task = await board.add_task(step.title, author=LEAD, after=after, details={"step": key})
        ids[key] = task.id
    return gates


async def narrate(board: BoardHandle, gates: list[Any], tell: Tell) -> None:
    """Tell what happens as it is committed, and kill the board's host after the third finding."""
    assert isinstance(board.transport, RayTransport)
    owner = Owner(board.swarm.namespace_id, Space.BOARD, board.name)
    host = board.transport.topology.placement.host_of(owner)
    told: set[tuple[str, str, str]] = set()
    async for entry in board.watch():
        line = story_of(entry)
        if line is None or line in told:
            continue
        told.add(line)
        tell(*line)
        match line[1], [did for _, did, _ in told].count(line[1]):
            case "joins", 8:
                await board.finish(gates[0], author=LEAD)
            case "finds", 3:
                tell(LEAD, "kills -9", f"{host}, which holds this board")
                crash = await asyncio.to_thread(kill_host, host)
                tell(host, "is back", f"as pid {crash.new_pid}, {crash.recovery_s:.1f} s later")
                await board.finish(gates[1], author=LEAD)
            case "answers", 4:
                return


def story_of(entry: Entry) -> tuple[str, str, str] | None:
    """Return who did what, if this change of the board is part of the story."""
    said = entry.details
    match entry.kind:
        case "note":
            return entry.author, "joins", entry.content
        case "task" if said["lease"] and said["lease"]["holder"] != LEAD:
            return said["lease"]["holder"], "takes on", entry.content
        case "claim" if said["done"]:
            return entry.author, "looks at", f"{entry.content}: {said['result']}"
        case "finding":
            return entry.author, "finds", entry.content
        case "contradiction":
            how, by = said["how"], said["resolved_by"]
            return by or entry.author, "settles" if by else "doubts", f"{entry.content} {how or ''}"
        case "question" if said["answer"]:
            return said["answered_by"], "answers", f"{entry.content} {said['answer']}"
    return None


async def promises(board: BoardHandle, log: Log, ninth: dict[str, Any]) -> dict[str, bool]:
    """Hold what was acknowledged against what is there."""
    entries = await board.read(kinds=["finding"], limit=1000)
    found = {step.finding for step in STEPS.values()} & {entry.content for entry in entries}
    tasks, progress = (await board.tasks()).tasks, await board.progress()
    once = all([one.outcome for one in task.history].count("completed") == 1 for task in tasks)
    return {
        "no finding was lost": {one.id for one in entries} == {*log["found"]},
        "every task was done, and once": once and sorted(log["done"]) == sorted(STEPS),
        "nothing was looked up twice": sorted(log["looked up"]) == sorted(SOURCES),
        "every question is answered": all(one.status == "answered" for one in progress.questions),
        "the contradiction is resolved": progress.open_contradictions == 0,
        "what was learned is remembered": len(log["promoted"]) >= len(found),
        "the ninth recalls what was found": not found.isdisjoint(ninth["recalls"]),
        "the ninth is warned of what failed": str(*log["failure"]) in ninth["warned"],
    }


def main() -> int:
    """Play it, print it, and return the exit code."""
    as_json = "--json" in sys.argv[1:]
    out, sys.stdout = sys.stdout, sys.stderr  # where Ray's own messages may go
    console = Console(quiet=as_json, highlight=False, soft_wrap=True, file=out)

    def tell(who: str, did: str, what: str) -> None:
        console.print(f"[bold]{who:>6}[/]  [cyan]{did:<8}[/]  {escape(what)}")

    console.rule("[bold]02:14, checkout is down")
    swarm = connect(project=f"incident-{uuid4().hex[:8]}")
    outcome = asyncio.run(asyncio.wait_for(play(swarm, tell), PATIENCE_S))
    if as_json:
        print(json.dumps({"project": swarm.namespace.project, **outcome}), file=out)
    for promise, kept in outcome["promises"].items():
        console.print("[green]kept[/]  " if kept else "[bold red]BROKEN[/]", promise)
    return 0 if all(outcome["promises"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
