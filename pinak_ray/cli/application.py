"""All commands under one name, and what becomes of their errors."""

from typing import Any

import typer
from typer.core import TyperGroup

from pinak_ray.cli import hook as hook_command
from pinak_ray.cli import keys, lifecycle, status, token
from pinak_ray.cli.console import fail
from pinak_ray.cli.demo import command as demo
from pinak_ray.cli.doctor import command as doctor_command
from pinak_ray.cli.models import commands as models
from pinak_ray.cli.options import JSON_META, VERBOSE_META
from pinak_ray.cli.simulation import command as simulate
from pinak_ray.cli.verbs import changes as change_commands
from pinak_ray.cli.verbs import curation as curation_commands
from pinak_ray.cli.verbs import memory as verbs
from pinak_ray.cli.verbs import recall as recall_command
from pinak_ray.cli.version import version

__all__ = ["app"]

_EPILOG = """
[bold]Start here[/bold]

  pinak-ray up                                  start everything on this machine

  pinak-ray demo                                watch 24 agents learn from 96 real outages

  pinak-ray remember "migration 42 locked orders" --outcome failure

  pinak-ray nudge "run migration 42 in production"

  pinak-ray down                                stop; what was acknowledged stays

Settings come from PINAK_* variables (PINAK_HOME, PINAK_HTTP_PORT, PINAK_DSN ...); options override
them. Exit codes: 0 done, 1 it did not work (one line says why), 2 wrong usage.
"""


class _Commands(TyperGroup):
    """Turns an error into one line that says what to do; --verbose adds the traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            # Usage errors and Exit carry an exit code; the classes' own module differs by release.
            if hasattr(error, "exit_code") or isinstance(error, typer.Abort):
                raise
            fail(error, as_json=JSON_META in ctx.meta, verbose=VERBOSE_META in ctx.meta)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Commands,
    name="pinak-ray",
    help="The memory plane for agent swarms on Ray: durable memories, hybrid recall, nudges.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (
    lifecycle,
    status,
    doctor_command,
    demo,
    simulate,
    models,
    token,
    keys,
    verbs,
    change_commands,
    curation_commands,
    recall_command,
    hook_command,
):
    _module.register(app)
app.command()(version)
