"""`pinak-ray simulate`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinak_ray.cli.console import Steps, plain, print_json, stdout
from pinak_ray.cli.lifecycle import bring_up
from pinak_ray.cli.local_stack import dsn_of
from pinak_ray.cli.options import (
    HttpPort,
    Project,
    Stack,
    with_options,
)
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings

if TYPE_CHECKING:
    from pinak_ray.cli.simulation.plan import Plan
    from pinak_ray.cli.simulation.result import Result

__all__ = ["register"]

_EPILOG = """
[bold]What happens[/bold]

  Every agent acts about once a minute, at random moments: it notes, remembers, recalls, reads its
  notes, says what it intends, posts. At the end what was acknowledged is read back and counted,
  and a report with plots is written. A stack is started for the run where none is running.

[bold]Examples[/bold]

  pinak-ray simulate --agents 10000 --minutes 2

  pinak-ray simulate --agents 1000000 --rate 300 --report load.html

  pinak-ray simulate --minutes 0.5 --json | jq '.verbs.recall.latency_ms'

Ctrl-C ends early and still writes the report. Exit code 1 if anything acknowledged was lost.
"""
_MAX_AGENTS = 10_000_000
# Every task is a process; a machine's cores are busy with a few of them.
_MAX_TASKS = 64


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(simulate)


@with_options
def simulate(
    stack: Stack,
    agents: Annotated[int, typer.Option(min=1, max=_MAX_AGENTS, help="Virtual agents.")] = 1_000,
    minutes: Annotated[float, typer.Option(min=0.02, help="How long they act.")] = 1.0,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Operations per second of all agents together.",
            show_default="agents / 60, at most 100 per core",
        ),
    ] = None,
    tasks: Annotated[int, typer.Option(min=1, max=_MAX_TASKS, help="Ray tasks that act.")] = 2,
    seed: Annotated[int, typer.Option(help="The same seed draws the same actions.")] = 1,
    report: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            writable=True,
            help="Where the HTML report goes.",
            show_default="pinak-simulation-DATE-TIME.html",
        ),
    ] = None,
    project: Project = None,
    http_port: HttpPort = None,
) -> None:
    """Put N virtual agents to work at human-like rates, and write a report with plots."""
    run = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    path = report or Path(f"pinak-simulation-{run}.html")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"--report: there is no directory {path.parent}")
    settings = stack.settings(http_port=http_port)
    from pinak_ray.cli.simulation.plan import Plan

    plan = Plan(
        run=run,
        agents=agents,
        duration_s=minutes * 60,
        rate=rate or Plan.rate_for(agents),
        tasks=tasks,
        seed=seed,
    )
    with Steps(verbose=stack.verbose) as steps, _stack(settings, steps), _ctrl_c() as end:
        result = _simulate(settings, project or f"simulate-{run}", plan, steps, end)
        from pinak_ray.cli.simulation import show, write_report

        write_report(result, path)
    if stack.as_json:
        print_json({**result.as_json(), "report": str(path.resolve())})
    else:
        show(result, stdout())
        stdout().print(f"[bold]report[/bold]    {plain(str(path))}")
    if result.verified.lost:
        raise typer.Exit(1)


def _simulate(settings: Settings, project: str, plan: "Plan", steps: Steps, end: Event) -> "Result":
    from pinak_ray.cli.simulation import live, run_simulation

    return run_simulation(
        settings.home,
        dsn_of(settings),
        project,
        plan,
        progress=steps,
        watch=lambda moment: steps.picture(live(moment)),
        end=end,
    )


@contextmanager
def _stack(settings: Settings, steps: Steps) -> Iterator[None]:
    """Use the running stack; where there is none, start one, and stop it afterwards."""
    is_ours = RayNode(settings.home).pid() is None
    try:
        bring_up(settings, steps)
        yield
    finally:
        if is_ours:
            from pinak_ray.cluster.stack import down

            down(settings, progress=steps)


@contextmanager
def _ctrl_c() -> Iterator[Event]:
    """Turn the first Ctrl-C into a wish; a second one interrupts as ever."""
    end = Event()

    def ask(number: int, frame: Any) -> None:
        end.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield end
    finally:
        signal.signal(signal.SIGINT, before)
