"""What a person sees: the result on standard output, progress and errors on standard error."""

import logging
import re
import sys
import time
import traceback
from types import TracebackType
from typing import Any, Self

import orjson
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from pinak_ray.records.errors import PinakError

__all__ = ["Steps", "fail", "print_json", "quiet_libraries", "said", "stdout"]

_PERCENT = re.compile(r"\s+\d+%$")


def stdout() -> Console:
    """Return a console on standard output as it is now (tests replace it)."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def print_json(value: Any) -> None:
    """Print one JSON object and a line end."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def said(error: BaseException) -> str:
    """Return what an error says; Ray's wrapping and its remote traceback are left out."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, PinakError):
        return str(cause)
    if isinstance(error, PinakError):
        return str(error)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


def fail(error: Exception, *, as_json: bool = False, verbose: bool = False) -> None:
    """Report an error on standard error, and for programs as an object on standard output."""
    cause = getattr(error, "cause", None)
    known = error if isinstance(error, PinakError) else cause
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if verbose:
        console.print("".join(traceback.format_exception(error)), markup=False)
    text = said(error)
    if not isinstance(known, PinakError) and not verbose:
        text += " (unexpected; --verbose shows where)"
    console.print(f"[bold red]pinak-ray:[/bold red] {escape(text)}")
    if as_json:
        code = known.code if isinstance(known, PinakError) else "internal"
        print_json({"error": {"code": code, "message": said(error)}})


def quiet_libraries() -> None:
    """Keep Ray's and Serve's own log lines off the screen; import them first."""
    for name in ("ray", "ray.serve", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


class Steps:
    """Progress on standard error: a line for each finished step, a spinner on the running one.

    Call it with each step's name as it begins; `name 40%` moves the step that runs.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._name: str | None = None
        self._began = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._finish("[red]✗[/red]" if error is not None else "[green]✓[/green]")
        if self._status is not None:
            self._status.stop()

    def __call__(self, text: str) -> None:
        name = _PERCENT.sub("", text)
        if name != self._name:
            self._finish("[green]✓[/green]")
            self._name, self._began = name, time.monotonic()
        if self._status is not None:
            self._status.update(escape(text))

    def _finish(self, mark: str) -> None:
        if self._name is not None:
            took = time.monotonic() - self._began
            self._console.print(f"  {mark} {escape(self._name)} [dim]{took:.1f} s[/dim]")
        self._name = None
