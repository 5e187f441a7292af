"""Embedding models as a person or a program sees them."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.progress_bar import ProgressBar
from rich.table import Table

from pinak_ray.cli.console import Steps, plain
from pinak_ray.records.errors import Unavailable
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.backfill import Coverage, coverage_of
from pinak_ray.store.models.serving_model import ModelStatus

__all__ = ["comparison_table", "described", "table", "watch_backfill"]

# Each look counts all memories: at most a tenth of the time goes into counting.
_LOOK_EVERY_S = 1.0
_STUCK_AFTER_S = 120.0


def described(status: ModelStatus) -> dict[str, Any]:
    """Return a model's state as JSON holds it; `eta_s` is None where nothing moves."""
    model, coverage = status.model, status.coverage
    return {
        "id": model.id,
        "name": model.name,
        "revision": model.revision,
        "dimension": model.dimension,
        "state": _state(status),
        "coverage": coverage.share,
        "missing": coverage.missing,
        "set_aside": coverage.set_aside,
        "is_behind": coverage.is_behind,
        "per_s": coverage.per_s,
        "eta_s": _eta_s(coverage),
        "error": coverage.error,
    }


def table(statuses: Sequence[ModelStatus]) -> Table:
    """Return the models, a line each."""
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("number", "model", "dimension", "state", "embedded", "missing", "left"):
        shown.add_column(title, header_style="dim", overflow="fold")
    for status in statuses:
        model, coverage = status.model, status.coverage
        eta_s = _eta_s(coverage)
        left = "" if eta_s is None else f"{eta_s:.0f} s at {coverage.per_s:.0f}/s"
        why = f" ({coverage.error})" if coverage.error else ""
        shown.add_row(
            str(model.id),
            f"{plain(model.name)} [dim]{plain(model.revision)}[/dim]",
            str(model.dimension),
            _state(status) + plain(why),
            f"{coverage.share:.1%}",
            f"{coverage.missing:,}",
            left,
        )
    return shown


def comparison_table(found: Mapping[str, Any]) -> Table:
    """Return both models side by side."""
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("", found["models"]["serving"], found["models"]["candidate"]):
        shown.add_column(plain(title), header_style="bold")
    for figure in ("recall_at_10", "ndcg_at_10", "p50_ms", "p95_ms"):
        both = [found[side][figure] for side in ("serving", "candidate")]
        if None not in both:
            shown.add_row(figure, *(f"{value:.3f}" for value in both))
    shown.caption = (
        f"{found['queries']} queries: {found['overlap_at_10']:.0%} of the first ten in both, "
        f"the same first hit in {found['same_first']:.0%}"
    )
    return shown


async def watch_backfill(database: Database, model_id: int, steps: Steps) -> None:
    """Show how a model's back-fill goes on until it has ended.

    Raises Unavailable when nothing has moved for two minutes.
    """
    least, moved_at = None, time.monotonic()
    while True:
        asked_at = time.monotonic()
        async with database.service() as connection:
            coverage = await coverage_of(connection, model_id)
        took = time.monotonic() - asked_at
        steps(f"back-filling {coverage.share:.0%}")
        steps.picture(_bar(coverage))
        if not coverage.is_behind:
            return
        if least is None or coverage.missing < least:
            least, moved_at = coverage.missing, time.monotonic()
        elif time.monotonic() - moved_at > _STUCK_AFTER_S:
            why = coverage.error or "does the stack run?"
            raise Unavailable(f"{coverage.missing} vectors are missing and none comes: {why}")
        await asyncio.sleep(max(_LOOK_EVERY_S, 10 * took))


def _bar(coverage: Coverage) -> Table:
    eta_s = _eta_s(coverage)
    left = "" if eta_s is None else f"{eta_s:.0f} s left"
    line = Table.grid(padding=(0, 1))
    line.add_row(
        "back-filling",
        ProgressBar(total=1.0, completed=coverage.share, width=30),
        f"{coverage.share:.1%}",
        f"{coverage.per_s:.0f}/s",
        left,
    )
    return line


def _state(status: ModelStatus) -> str:
    if status.serves:
        return "serves"
    if status.is_previous:
        return "previous"
    return "back-filling" if status.coverage.is_behind else "ready"


def _eta_s(coverage: Coverage) -> float | None:
    return coverage.missing / coverage.per_s if coverage.is_behind and coverage.per_s else None
