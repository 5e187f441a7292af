"""`pinak-ray revise` and `forget`: change what is remembered."""

import sys
from typing import Annotated

import typer

from pinak_ray.cli.access import ask
from pinak_ray.cli.options import Target, with_options
from pinak_ray.cli.verbs.receipts import show_receipt

__all__ = ["register"]

_REVISE_EPILOG = """
[bold]Examples[/bold]

  pinak-ray revise 0198c7a2-5d1e-8b3a-9f00-2b6c4d8e1f00 "the staging database is db8"

  pinak-ray revise 0198c7a2-5d1e-8b3a-9f00-2b6c4d8e1f00 "it works again" --outcome success

What no option says stays as it was.
"""
_FORGET_EPILOG = """
[bold]Examples[/bold]

  pinak-ray forget 0198c7a2-5d1e-8b3a-9f00-2b6c4d8e1f00

  pinak-ray recall "password" --json | jq -r '.hits[].id' | xargs -n1 pinak-ray forget
"""

MemoryId = Annotated[str, typer.Argument(metavar="ID", help="The memory's id.")]
Agent = Annotated[str, typer.Option("--agent", help="The agent that speaks.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=_REVISE_EPILOG)(revise)
    app.command(epilog=_FORGET_EPILOG)(forget)


@with_options
def revise(
    target: Target,
    memory_id: MemoryId,
    content: Annotated[str, typer.Argument(help="What is now said; - reads standard input.")],
    agent: Agent = "cli",
    layer: Annotated[str | None, typer.Option(help="Another layer.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Another outcome.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Other tags; repeat it.")] = None,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key revises it once.")
    ] = None,
) -> None:
    """Say something else instead of a memory, and print the new one's receipt."""
    text = sys.stdin.read() if content == "-" else content
    receipt = ask(
        target,
        agent,
        lambda handle: handle.revise(
            memory_id, text, layer=layer, outcome=outcome, tags=tag or None, idempotency_key=key
        ),
    )
    show_receipt(receipt, as_json=target.as_json)


@with_options
def forget(
    target: Target,
    memory_id: MemoryId,
    agent: Agent = "cli",
) -> None:
    """Remove one memory for good."""
    receipt = ask(target, agent, lambda handle: handle.forget(memory_id))
    show_receipt(receipt, as_json=target.as_json, not_new="was not there")
