"""Structured logs and metrics."""

from pinak_ray.telemetry.logs import configure_logs
from pinak_ray.telemetry.metrics import Metrics, merge_metrics

__all__ = ["Metrics", "configure_logs", "merge_metrics"]
