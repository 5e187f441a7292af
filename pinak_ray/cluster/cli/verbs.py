"""`pinak-ray remember`, `recall` and `nudge`: the verbs, for a shell."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from pinak_ray.cluster.cli.access import Target, open_swarm
from pinak_ray.cluster.cli.console import print_json, stdout
from pinak_ray.cluster.cli.options import AsJson, Home, Project, Tenant, VerboseFlag
from pinak_ray.records.nudges import Nudge, Strength
from pinak_ray.records.recall import Hit

__all__ = ["register"]

R = TypeVar("R")

_REMEMBER_EPILOG = """
[bold]Examples[/bold]

  pinak-ray remember "rollout blocked: migration 42 locks orders" --outcome failure --tag deploy

  pinak-ray remember "the staging database is db7" --layer semantic --agent operator

  git log -1 | pinak-ray remember - --source git
"""
_RECALL_EPILOG = """
[bold]Examples[/bold]

  pinak-ray recall "what blocked the last rollout?"

  pinak-ray recall "orders table" -k 3 --outcome failure

  pinak-ray recall "db7" --json | jq -r '.hits[0].content'
"""
_NUDGE_EPILOG = """
[bold]Examples[/bold]

  pinak-ray nudge "run migration 42 in production"

  pinak-ray nudge "clean up" --tool bash --argument "command=rm -rf /srv/data"

  pinak-ray nudge "drop the orders table" --json | jq '.nudges | length'

Prints nothing when nothing like it failed before.
"""

Url = Annotated[
    str | None,
    typer.Option("--url", help="A gateway elsewhere. [dim]PINAK_URL[/dim]", show_default=False),
]
Token = Annotated[
    str | None,
    typer.Option("--token", help="Its token. [dim]PINAK_TOKEN[/dim]", show_default=False),
]
Agent = Annotated[str, typer.Option("--agent", help="The agent that speaks.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; repeat it.")]
Outcome = Annotated[
    str | None, typer.Option("--outcome", help="success, failure, partial or unknown.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=_REMEMBER_EPILOG)(remember)
    app.command(epilog=_RECALL_EPILOG)(recall)
    app.command(epilog=_NUDGE_EPILOG)(nudge)


def remember(
    content: Annotated[str, typer.Argument(help="What to remember; - reads standard input.")],
    agent: Agent = "cli",
    layer: Annotated[
        str, typer.Option(help="semantic, episodic, procedural or reference.")
    ] = "semantic",
    outcome: Outcome = None,
    tag: Tags = None,
    session: Annotated[str | None, typer.Option(help="The conversation it is from.")] = None,
    source: Annotated[str | None, typer.Option(help="Where it can be looked up.")] = None,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key stores it once.")
    ] = None,
    ack: Annotated[
        str, typer.Option(help="Wait until it is accepted, durable or searchable.")
    ] = "durable",
    home: Home = None,
    url: Url = None,
    token: Token = None,
    tenant: Tenant = None,
    project: Project = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Store one memory and print its receipt."""
    text = sys.stdin.read() if content == "-" else content
    receipt = _ask(
        Target(home, url, token, tenant, project),
        agent,
        lambda handle: handle.remember(
            text,
            layer=layer,
            outcome=outcome,
            tags=tag or (),
            session=session,
            source=source,
            idempotency_key=key,
            ack=ack,
        ),
    )
    if as_json:
        print_json({"id": receipt.id, "ack": receipt.ack, "new": receipt.new})
    else:
        stdout().print(f"{receipt.id}  {receipt.ack}{'' if receipt.new else ', known before'}")


def recall(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", help="How many memories.")] = 5,
    agent: Annotated[list[str] | None, typer.Option(help="Only this agent's; repeat it.")] = None,
    layer: Annotated[list[str] | None, typer.Option(help="Only this layer; repeat it.")] = None,
    tag: Tags = None,
    outcome: Outcome = None,
    recipe: Annotated[str, typer.Option(help="How signals are combined.")] = "default",
    trace: Annotated[bool, typer.Option("--trace", help="Say why each hit was found.")] = False,
    home: Home = None,
    url: Url = None,
    token: Token = None,
    tenant: Tenant = None,
    project: Project = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Search the namespace's memories."""
    result = _ask(
        Target(home, url, token, tenant, project),
        "cli",
        lambda handle: handle.recall(
            query,
            k=k,
            agents=agent or (),
            layers=layer or (),
            tags=tag or (),
            outcome=outcome,
            recipe=recipe,
            trace=trace,
        ),
    )
    if as_json:
        print_json({"hits": result.hits, "trace": result.trace})
    elif result.hits:
        _show_hits(result.hits)
    else:
        typer.echo("nothing found", err=True)


def nudge(
    intent: Annotated[str, typer.Argument(help="What is about to be done.")],
    tool: Annotated[str | None, typer.Option(help="The tool that will do it.")] = None,
    argument: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Its arguments; repeat it.")
    ] = None,
    agent: Agent = "cli",
    k: Annotated[int, typer.Option("-k", help="How many nudges at most.")] = 1,
    home: Home = None,
    url: Url = None,
    token: Token = None,
    tenant: Tenant = None,
    project: Project = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Say what is about to be done, and hear what failed like it."""
    arguments = dict(map(_pair, argument)) if argument else None
    nudges = _ask(
        Target(home, url, token, tenant, project),
        agent,
        lambda handle: handle.intend(intent, tool=tool, arguments=arguments, k=k),
    )
    if as_json:
        print_json({"nudges": nudges})
    elif nudges:
        _show_nudges(nudges)
    else:
        typer.echo("nothing like it failed before", err=True)


def _ask(target: Target, agent: str, verb: Callable[[Any], Awaitable[R]]) -> R:
    swarm = open_swarm(target)

    async def work() -> R:
        async with swarm:
            return await verb(swarm.agent(agent))

    return asyncio.run(work())


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"--argument {text!r} is not NAME=VALUE")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value


def _show_hits(hits: Sequence[Hit]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for title in ("score", "when", "agent", "layer", "content"):
        table.add_column(title, overflow="fold", header_style="dim")
    for hit in hits:
        kind = f"{hit.layer}" + (f", {hit.outcome}" if hit.outcome else "")
        content = escape(hit.content)
        if hit.signals:
            content += "\n[dim]" + ", ".join(_signal(signal) for signal in hit.signals) + "[/dim]"
        table.add_row(
            f"{hit.score:.2f}", f"{hit.occurred_at:%Y-%m-%d}", escape(hit.agent), kind, content
        )
    stdout().print(table)


def _signal(signal: Any) -> str:
    score = "-" if signal.score is None else f"{signal.score:.2f}"
    return escape(f"{signal.name} {score} (rank {signal.rank or '-'})")


def _show_nudges(nudges: Sequence[Nudge]) -> None:
    colour = {Strength.HIGH: "red", Strength.MEDIUM: "yellow", Strength.LOW: "cyan"}
    out = stdout()
    for one in nudges:
        mark = colour[one.strength]
        out.print(f"[bold {mark}]{one.strength}[/bold {mark}] {escape(one.message)}")
        out.print(f"  [dim]{escape(one.reason)}[/dim]")
        for hit in one.evidence:
            out.print(f"  [dim]by {escape(hit.agent)}, {escape(hit.source or 'no source')}[/dim]")
