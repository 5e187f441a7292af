"""Options that several commands share, and the settings that they make."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import RenderableType

from pinak_ray.cli.console import print_json, stdout
from pinak_ray.cluster.settings import Settings

__all__ = [
    "JSON_META",
    "VERBOSE_META",
    "AsJson",
    "Dsn",
    "Home",
    "HttpPort",
    "Project",
    "Stack",
    "Target",
    "Tenant",
    "Token",
    "Url",
    "VerboseFlag",
    "settings_from",
    "with_options",
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


@dataclass(frozen=True, slots=True)
class _Output:
    as_json: AsJson = False
    verbose: VerboseFlag = False

    def answer(self, value: Any, text: RenderableType) -> None:
        """Print what a command found: for a program, or for a person."""
        if self.as_json:
            print_json(value)
        else:
            stdout().print(text)


@dataclass(frozen=True, slots=True)
class Target(_Output):
    """Which namespace of which stack a verb goes to; what is None comes from PINAK_* variables."""

    home: Home = None
    url: Url = None
    token: Token = None
    tenant: Tenant = None
    project: Project = None


@dataclass(frozen=True, slots=True)
class Stack(_Output):
    """Which stack on this machine an operator means, and its database."""

    home: Home = None
    dsn: Dsn = None

    def settings(self, **more: Any) -> Settings:
        """Return the stack's settings, with those of more options."""
        return settings_from(home=self.home, dsn=self.dsn, **more)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take dataclasses of options: their fields come after the command's own."""
    signature = inspect.signature(command)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if is_dataclass(parameter.annotation)
    }

    @wraps(command)
    def called(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    own = [each for each in signature.parameters.values() if each.name not in groups]
    shared = [
        option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for group in groups.values()
        for option in inspect.signature(group).parameters.values()
    ]
    called.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    return called
