"""`pinak-ray remember`, `nudge` and `feedback`: verbs, for a shell."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
import typer

from pinak_ray.cli.access import ask
from pinak_ray.cli.console import plain, print_json, stdout
from pinak_ray.cli.options import Target, with_options
from pinak_ray.cli.verbs.receipts import show_receipt
from pinak_ray.records.memory.nudges import Nudge, Strength

__all__ = ["register"]

_REMEMBER_EPILOG = """
[bold]Examples[/bold]

  pinak-ray remember "rollout blocked: migration 42 locks orders" --outcome failure --tag deploy

  pinak-ray remember "the staging database is db7" --entity staging --agent operator

  git log -1 | pinak-ray remember - --source git
"""
_NUDGE_EPILOG = """
[bold]Examples[/bold]

  pinak-ray nudge "run migration 42 in production"

  pinak-ray nudge "clean up" --tool bash --argument "command=rm -rf /srv/data"

  pinak-ray nudge "drop the orders table" --json | jq '.nudges | length'

Prints nothing when nothing like it failed before and nothing known speaks against it.
"""
_FEEDBACK_EPILOG = """
[bold]Examples[/bold]

  pinak-ray feedback 0198c7a2-5d1e-8b3a-9f00-2b6c4d8e1f00 acted_on

  pinak-ray feedback 0198c7a2-5d1e-8b3a-9f00-2b6c4d8e1f00 not_useful --agent deployer
"""

Agent = Annotated[str, typer.Option("--agent", help="The agent that speaks.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; repeat it.")]
Outcome = Annotated[
    str | None, typer.Option("--outcome", help="success, failure, partial or unknown.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=_REMEMBER_EPILOG)(remember)
    app.command(epilog=_NUDGE_EPILOG)(nudge)
    app.command(epilog=_FEEDBACK_EPILOG)(feedback)


@with_options
def remember(
    target: Target,
    content: Annotated[str, typer.Argument(help="What to remember; - reads standard input.")],
    agent: Agent = "cli",
    layer: Annotated[
        str, typer.Option(help="semantic, episodic, procedural or reference.")
    ] = "semantic",
    outcome: Outcome = None,
    tag: Tags = None,
    entity: Annotated[
        list[str] | None, typer.Option("--entity", help="What it is about; repeat it.")
    ] = None,
    session: Annotated[str | None, typer.Option(help="The conversation it is from.")] = None,
    source: Annotated[str | None, typer.Option(help="Where it can be looked up.")] = None,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key stores it once.")
    ] = None,
    ack: Annotated[
        str, typer.Option(help="Wait until it is accepted, durable or searchable.")
    ] = "durable",
) -> None:
    """Store one memory and print its receipt."""
    text = sys.stdin.read() if content == "-" else content
    receipt = ask(
        target,
        agent,
        lambda handle: handle.remember(
            text,
            layer=layer,
            outcome=outcome,
            tags=tag or (),
            entities=entity or (),
            session=session,
            source=source,
            idempotency_key=key,
            ack=ack,
        ),
    )
    show_receipt(receipt, as_json=target.as_json)


@with_options
def nudge(
    target: Target,
    intent: Annotated[str, typer.Argument(help="What is about to be done.")],
    tool: Annotated[str | None, typer.Option(help="The tool that will do it.")] = None,
    argument: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Its arguments; repeat it.")
    ] = None,
    agent: Agent = "cli",
    k: Annotated[int, typer.Option("-k", help="How many nudges at most.")] = 1,
) -> None:
    """Say what is about to be done, and hear what failed like it."""
    arguments = dict(map(_pair, argument)) if argument else None
    nudges = ask(
        target,
        agent,
        # A person who asks again wants to see it again.
        lambda handle: handle.intend(intent, tool=tool, arguments=arguments, k=k, repeat=True),
    )
    if target.as_json:
        print_json({"nudges": nudges})
    elif nudges:
        _show_nudges(nudges)
    else:
        typer.echo("nothing like it failed before", err=True)


@with_options
def feedback(
    target: Target,
    nudge: Annotated[str, typer.Argument(help="The nudge's id, or that of its memory.")],
    verdict: Annotated[str, typer.Argument(help="useful, not_useful or acted_on.")],
    agent: Agent = "cli",
) -> None:
    """Say what a nudge was worth; later ones weigh it."""
    receipt = ask(
        target,
        agent,
        lambda handle: handle.feedback(nudge, verdict),
    )
    target.answer(
        {"id": receipt.id, "new": receipt.new},
        f"{receipt.id}  {verdict}{'' if receipt.new else ', in place of before'}",
    )


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"--argument {text!r} is not NAME=VALUE")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value


def _show_nudges(nudges: Sequence[Nudge]) -> None:
    colour = {Strength.HIGH: "red", Strength.MEDIUM: "yellow", Strength.LOW: "cyan"}
    out = stdout()
    for one in nudges:
        mark = colour[one.strength]
        out.print(f"[bold {mark}]{one.strength}[/bold {mark}] {plain(one.message)}")
        out.print(f"  [dim]{plain(one.reason)}[/dim]")
        out.print(f"  [dim]{one.id}[/dim]")
        for hit in one.evidence:
            out.print(f"  [dim]by {plain(hit.agent)}, {plain(hit.source or 'no source')}[/dim]")
