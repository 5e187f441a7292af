"""The simulation: N virtual agents at work at human-like rates, measured and written up."""

from pinak_ray.cli.simulation.plan import Plan
from pinak_ray.cli.simulation.report.printout import live, show
from pinak_ray.cli.simulation.report.report import write_report
from pinak_ray.cli.simulation.run import run_simulation

__all__ = ["Plan", "live", "run_simulation", "show", "write_report"]
