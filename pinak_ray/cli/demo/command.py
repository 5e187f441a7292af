"""`pinak-ray demo`."""

import typer

from pinak_ray.cli.console import Steps, print_json, stdout
from pinak_ray.cli.lifecycle import bring_up
from pinak_ray.cli.local_stack import dsn_of, home_option, token_command
from pinak_ray.cli.options import (
    HttpPort,
    Stack,
    with_options,
)
from pinak_ray.cluster.settings import Settings

__all__ = ["register"]

_EPILOG = """
[bold]What happens[/bold]

  24 agents, each a Ray task, load 96 published outages as failures, take notes while one of their
  hosts is killed with SIGKILL, and then attempt a list of risky and harmless actions. At the end
  everything that was acknowledged is counted in PostgreSQL.

[bold]Examples[/bold]

  pinak-ray demo               start the stack if none runs, and leave it running

  pinak-ray demo --stop        stop it afterwards

  pinak-ray demo --json | jq '.lost, .duplicated'

Exit code 1 if anything acknowledged was lost or duplicated.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(demo)


@with_options
def demo(
    stack: Stack,
    http_port: HttpPort = None,
    stop: bool = typer.Option(False, "--stop", help="Stop the stack afterwards."),
) -> None:
    """Watch 24 agents learn from 96 outages, lose a host, lose no memory, and be nudged."""
    settings = stack.settings(http_port=http_port)
    with Steps(verbose=stack.verbose) as steps:
        url, _ = bring_up(settings, steps)
        from pinak_ray.cli.demo import run_demo

        result = run_demo(settings.home, dsn_of(settings), progress=steps)
        if stop:
            from pinak_ray.cluster.stack import down

            down(settings, progress=steps)
    if stack.as_json:
        print_json({**result.as_json(), "url": url, "stopped": stop})
    else:
        from pinak_ray.cli.demo import show

        show(result, stdout())
        _say_goodbye(settings, url, stopped=stop)
    if result.lost or result.duplicated:
        raise typer.Exit(1)


def _say_goodbye(settings: Settings, url: str, *, stopped: bool) -> None:
    out, home = stdout(), home_option(settings)
    if stopped:
        out.print(f"the stack is stopped; start it with: pinak-ray up{home}", markup=False)
        return
    token = token_command(settings, project="demo")
    out.print(f"[bold]try next[/bold]  {url}")
    out.print(
        f"""  curl -s {url}/v1/nudges -H "Authorization: Bearer $({token})" \\
    -H 'Content-Type: application/json' \\
    -d '{{"agent": "me", "intent": "truncate the orders table before the load"}}'
  pinak-ray nudge{home} --project demo "push the new rules to all endpoints at once"
the stack keeps running; stop it with: pinak-ray down{home}""",
        markup=False,
    )
