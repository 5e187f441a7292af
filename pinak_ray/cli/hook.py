"""`pinak-ray hook`, for the list of commands; it parses its own options (see hook/)."""

import typer

from pinak_ray.hook.command import main

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )(hook)


def hook(ctx: typer.Context) -> None:
    """Warn a coding agent before its tool runs: a tool call in, a decision out."""
    raise typer.Exit(main(ctx.args))
