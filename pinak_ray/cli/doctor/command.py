"""`pinak-ray doctor`."""

import typer
from rich.table import Table

from pinak_ray.cli.console import Steps, plain, print_json, stdout
from pinak_ray.cli.options import (
    Stack,
    with_options,
)

__all__ = ["register"]

_EPILOG = """
[bold]Examples[/bold]

  pinak-ray doctor

  pinak-ray doctor --json | jq '.checks[] | select(.state != "ok")'

Exit code 1 when there is a problem; a warning alone does not change it.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(doctor)


@with_options
def doctor(stack: Stack) -> None:
    """Check the machine, the database, the wall between namespaces, and every running part."""
    settings = stack.settings()
    from pinak_ray.cli.doctor import State, run_checks

    with Steps(verbose=stack.verbose) as steps:
        checks = run_checks(settings, progress=steps)
    counts = {state.value: sum(one.state is state for one in checks) for state in State}
    if stack.as_json:
        print_json({"checks": checks, "counts": counts})
    else:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        colour = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "red"}
        for one in checks:
            text = plain(one.says)
            if one.mend:
                text += f"\n[bold]mend[/bold]  {plain(one.mend)}"
            table.add_row(f"[{colour[one.state]}]{one.state}[/]", plain(one.name), text.strip())
        stdout().print(table)
        stdout().print(", ".join(f"{count} {name}" for name, count in counts.items()))
    if counts[State.PROBLEM]:
        raise typer.Exit(1)
