"""Options that several commands share, and the settings that they make."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from pinak_ray.cluster.settings import Settings

__all__ = [
    "JSON_META",
    "VERBOSE_META",
    "AsJson",
    "Dsn",
    "Home",
    "HttpPort",
    "Project",
    "Tenant",
    "Token",
    "Url",
    "VerboseFlag",
    "settings_from",
]


JSON_META = "pinak_ray.json"
VERBOSE_META = "pinak_ray.verbose"
"""Under these names the error handler learns of the flags, however a command ends."""


def _note_json(ctx: typer.Context, value: bool) -> bool:
    if value:
        ctx.meta[JSON_META] = True
    return value


def _note_verbose(ctx: typer.Context, value: bool) -> bool:
    if value:
        ctx.meta[VERBOSE_META] = True
    return value


_STACK = "Which stack"
_OUTPUT = "Output"

AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        callback=_note_json,
        is_eager=True,
        help="Print one JSON object and nothing else on standard output.",
        rich_help_panel=_OUTPUT,
    ),
]
VerboseFlag = Annotated[
    bool,
    typer.Option(
        "--verbose",
        callback=_note_verbose,
        is_eager=True,
        help="Show tracebacks and what libraries log.",
        rich_help_panel=_OUTPUT,
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="State of the stack: data, keys, logs. [dim]PINAK_HOME, ~/.pinak-ray[/dim]",
        rich_help_panel=_STACK,
        show_default=False,
    ),
]
Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        help="A PostgreSQL to use instead of the embedded one. Others on this machine can read a "
        "command line, so prefer the variable. [dim]PINAK_DSN[/dim]",
        rich_help_panel=_STACK,
        show_default=False,
    ),
]
HttpPort = Annotated[
    int | None,
    typer.Option(
        "--http-port",
        help="The gateway's port; 0 takes a free one. [dim]PINAK_HTTP_PORT, 8642[/dim]",
        rich_help_panel=_STACK,
        show_default=False,
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        help="Tenant of the namespace. [dim]PINAK_TENANT, default[/dim]",
        show_default=False,
    ),
]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        help="Project of the namespace. [dim]PINAK_PROJECT, default[/dim]",
        show_default=False,
    ),
]

Url = Annotated[
    str | None,
    typer.Option("--url", help="A gateway elsewhere. [dim]PINAK_URL[/dim]", show_default=False),
]
Token = Annotated[
    str | None,
    typer.Option("--token", help="Its token. [dim]PINAK_TOKEN[/dim]", show_default=False),
]


def settings_from(**given: Any) -> Settings:
    """Return the settings: PINAK_* variables, overridden by the options that were given.

    A value that does not fit is wrong usage; the message never repeats it, it may be a secret.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = str(first["loc"][0])
        option = name.replace("_", "-")
        raise typer.BadParameter(f"--{option} (or PINAK_{name.upper()}): {first['msg']}") from None
