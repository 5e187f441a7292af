"""The demo: 24 agents learn from 96 outages, lose a host, lose nothing, and are nudged."""

from pinak_ray.cli.demo.printout import show
from pinak_ray.cli.demo.run import run_demo

__all__ = ["run_demo", "show"]
