"""The simulation on a terminal: a live picture, and the table at the end."""

from rich.console import Console, Group, RenderableType
from rich.table import Table

from pinak_ray.cli.simulation.behaviour import MIX
from pinak_ray.cli.simulation.report.plot import clock
from pinak_ray.cli.simulation.report.units import MEBIBYTE, count, mebibytes, milliseconds
from pinak_ray.cli.simulation.result import Result
from pinak_ray.cli.simulation.run import Moment
from pinak_ray.cli.simulation.samples import Cell

__all__ = ["live", "show"]


def live(moment: Moment) -> RenderableType:
    """Return the picture of one second: what is done, how fast, and what the hosts hold."""
    table = _table("operations/s", "p50", "p95", "errors so far")
    for verb in MIX:
        cell, total = moment.recent.of_verb(verb), moment.total.of_verb(verb)
        table.add_row(verb, *_live_figures(cell, total, moment.recent_s))
    now, total = moment.recent.all_verbs(), moment.total.all_verbs()
    table.add_row("all", *_live_figures(now, total, moment.recent_s), style="bold")
    hosts = moment.hosts.values()
    says = (
        f"{moment.plan.agents:,} agents  {clock(moment.passed_s)} of "
        f"{clock(moment.plan.duration_s)}  {count(total.latency.count)} operations  "
        f"sent {milliseconds(moment.recent.all_lag().percentile(95))} late (p95)\n"
        f"hosts hold {mebibytes(sum(one.rss_bytes for one in hosts) / MEBIBYTE)}, "
        f"{count(sum(one.active for one in hosts))} active\n"
        f"[dim]{'ending' if moment.ending else 'Ctrl-C ends early, with the report'}[/dim]"
    )
    return Group(says, table)


def _live_figures(now: Cell, total: Cell, seconds: float) -> tuple[str, ...]:
    return (
        f"{now.latency.count / seconds:,.1f}" if seconds else "–",
        milliseconds(now.latency.percentile(50)),
        milliseconds(now.latency.percentile(95)),
        _zero(total.errors.total()),
    )


def show(result: Result, out: Console) -> None:
    """Print the figures by verb, how well the schedule was kept, and what was verified."""
    table = _table("answered", "per s", "p50", "p95", "p99", "max", "errors")
    for name, cell in result.rows.items():
        table.add_row(name, *_figures(result, cell), style="bold" if name == "all" else "")
    out.print(table)
    lag = result.samples.all_lag()
    mark = "green" if result.kept_up else "yellow"
    kept = "kept up" if result.kept_up else "fell behind"
    out.print(
        f"[bold]schedule[/bold]  the machine [{mark}]{kept}[/{mark}]: "
        f"{result.plan.rate:,.1f} operations/s due, sent {milliseconds(lag.percentile(50))} late "
        f"(p50), {milliseconds(lag.percentile(99))} (p99); {result.samples.unsent:,} never sent"
    )
    out.print(
        f"[bold]hosts[/bold]     {mebibytes(result.hosts.peak_bytes / MEBIBYTE)} at most, "
        f"{result.hosts.most_active:,} agents and boards active"
    )
    found = result.verified
    out.print(
        f"[bold]verified[/bold]  {found.notes:,} notes of {found.agents:,} agents read back, "
        f"{found.memories_stored:,} memories stored of {found.memories:,} acknowledged: "
        f"{_zero(found.lost)} lost"
    )
    if result.tasks_died:
        out.print(f"[bold red]{result.tasks_died} tasks died[/bold red]")
    early = " (ended early)" if result.ended_early else ""
    out.print(f"[dim]{result.plan.agents:,} agents, {result.seconds:.0f} s{early}[/dim]")


def _figures(result: Result, cell: Cell) -> list[str]:
    return [
        count(cell.latency.count),
        f"{result.per_s(cell):,.1f}",
        *(milliseconds(cell.latency.percentile(percent)) for percent in (50, 95, 99)),
        milliseconds(cell.latency.longest_ms if cell.latency.count else None),
        _zero(cell.errors.total()),
    ]


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("verb", header_style="dim")
    for title in titles:
        table.add_column(title, justify="right", header_style="dim")
    return table


def _zero(value: int) -> str:
    return "[green]0[/green]" if value == 0 else f"[bold red]{value:,}[/bold red]"
