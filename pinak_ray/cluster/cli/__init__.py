"""`pinak-ray`: the command line. Each command imports its heavy parts itself, when it runs."""

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; the console script `pinak-ray`."""
    if sys.argv[1:2] == ["hook"]:
        # A coding agent waits for it before every tool call, and the other commands' parser alone
        # takes half a second to import.
        from pinak_ray.cluster.cli.hook.command import main as hook

        code = hook(sys.argv[2:])
        sys.stdout.flush()
        sys.stderr.flush()
        # Taking the interpreter down in order takes 14 ms of the 80 that it lives.
        os._exit(code)
    from pinak_ray.cluster.cli.application import app

    app()
