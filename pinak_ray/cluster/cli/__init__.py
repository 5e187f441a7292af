"""`pinak-ray`: the command line. Each command imports its heavy parts itself, when it runs."""

from pinak_ray.cluster.cli.application import app, main

__all__ = ["app", "main"]
