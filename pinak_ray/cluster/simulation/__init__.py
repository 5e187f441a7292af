"""The simulation: N virtual agents at work at human-like rates, measured and written up."""

from pinak_ray.cluster.simulation.plan import Plan
from pinak_ray.cluster.simulation.printout import live, show
from pinak_ray.cluster.simulation.report import write_report
from pinak_ray.cluster.simulation.run import run_simulation

__all__ = ["Plan", "live", "run_simulation", "show", "write_report"]
