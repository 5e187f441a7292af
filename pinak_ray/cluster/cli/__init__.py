"""`pinak-ray`: the command line. Each command imports its heavy parts itself, when it runs."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; the console script `pinak-ray`."""
    if sys.argv[1:2] == ["hook"]:
        # A coding agent waits for it before every tool call, and the other commands' parser alone
        # takes half a second to import.
        from pinak_ray.cluster.cli.hook.command import main as hook

        sys.exit(hook(sys.argv[2:]))
    from pinak_ray.cluster.cli.application import app

    app()
