"""`pinak-ray`: the command line. Each command imports its heavy parts itself, when it runs."""

import os
import sys
from io import TextIOWrapper

__all__ = ["main"]


def main() -> None:
    """Run the command line; the console script `pinak-ray`."""
    if sys.argv[1:2] == ["hook"]:
        # A coding agent waits for it before every tool call, and the other commands' parser alone
        # takes half a second to import.
        from pinak_ray.hook.command import main as hook

        code = hook(sys.argv[2:])
        sys.stdout.flush()
        sys.stderr.flush()
        # Taking the interpreter down in order takes 14 ms of the 80 that it lives.
        os._exit(code)
    _speak_utf8()
    from pinak_ray.cli.application import app

    app()


def _speak_utf8() -> None:
    """Begin anew in UTF-8 where the locale knows ASCII alone; what cannot be shown is replaced.

    Texts and paths hold any script, and Python reads its locale once, as it begins.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
