"""What a person sees: the result on standard output, progress and errors on standard error."""

import json
import logging
import re
import sys
import time
import traceback
from io import StringIO
from types import TracebackType
from typing import Any, Self

import orjson
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.status import Status

from pinak_ray.language.shown import shown
from pinak_ray.records.errors import PinakError

__all__ = ["Steps", "fail", "plain", "print_json", "said", "stdout"]

_PERCENT = re.compile(r"\s+\d+%$")


def stdout() -> Console:
    """Return a console on standard output as it is now (tests replace it)."""
    return Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def plain(text: str, limit: int | None = None) -> str:
    """Return what somebody stored as one line for a terminal: no control, no markup, no emoji."""
    return escape(shown(text, limit))


def print_json(value: Any) -> None:
    """Print one JSON object and a line end; a terminal obeys nothing in it, a program reads all."""
    for line in orjson.dumps(value, option=orjson.OPT_INDENT_2).decode().split("\n"):
        sys.stdout.write((line if line.isprintable() else _escaped(line)) + "\n")


def _escaped(line: str) -> str:
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


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
    console = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
    if verbose:
        console.print("".join(traceback.format_exception(error)), markup=False)
    text = said(error)
    if not isinstance(known, PinakError) and not verbose:
        text += " (unexpected; --verbose shows where)"
    lines = "\n  ".join(plain(line) for line in text.splitlines())
    console.print(f"[bold red]pinak-ray:[/bold red] {lines}")
    if as_json:
        code = known.code if isinstance(known, PinakError) else "internal"
        print_json({"error": {"code": code, "message": said(error)}})


def _ray_is_joined() -> bool:
    """Tell whether this process is in a Ray cluster, without importing Ray to ask."""
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


def _quiet_libraries() -> None:
    # Serve sets its level when it is imported, and would win over one that was set before.
    import ray.serve  # noqa: F401

    for name in ("ray", "ray.serve", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


class Steps:
    """Progress on standard error: a line for each finished step, a spinner on the running one.

    Call it with each step's name as it begins; `name 40%` moves the step that runs. A process that
    has joined Ray prints what the raylet says on standard output, at any time: so within, nothing
    reaches it, and at the end Ray is left again if it was joined here.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._was_joined = _ray_is_joined()
        self._stdout = sys.stdout
        self._console = Console(stderr=True, highlight=False, emoji=False)
        self._status: Status | None = None
        self._name: str | None = None
        self._began = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        sys.stdout = sys.stderr if self._verbose else StringIO()
        if not self._verbose:
            _quiet_libraries()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._finish("[red]✗[/red]" if error is not None else "[green]✓[/green]")
        if not self._was_joined and _ray_is_joined():
            sys.modules["ray"].shutdown()
        if self._status is not None:
            self._status.stop()
        sys.stdout = self._stdout

    def __call__(self, text: str) -> None:
        """Begin the step of this name, or move it on if it runs."""
        name = _PERCENT.sub("", text)
        if name != self._name:
            self._finish("[green]✓[/green]")
            self._name, self._began = name, time.monotonic()
        if self._status is not None:
            self._status.update(plain(text))

    def picture(self, renderable: RenderableType) -> None:
        """Show more of the running step than its name, where there is a terminal."""
        if self._status is not None:
            self._status.update(renderable)

    def _finish(self, mark: str) -> None:
        if self._name is not None:
            took = time.monotonic() - self._began
            self._console.print(f"  {mark} {plain(self._name)} [dim]{took:.1f} s[/dim]")
        self._name = None
