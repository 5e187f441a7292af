"""The demo's result as tables."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pinak_ray.cli.demo.agents import Attempt
from pinak_ray.cli.demo.result import Result, percentile
from pinak_ray.language.shown import shown

__all__ = ["show"]

_SHOWN = 6


def show(result: Result, out: Console) -> None:
    """Print what was acknowledged and found, the crash, some nudges, and the latencies."""
    out.print(_writes(result))
    out.print(
        f"[bold]crash[/bold]  {result.crash.host} (pid {result.crash.killed_pid}) was killed while "
        f"the agents took notes; pid {result.crash.new_pid} answered after "
        f"[bold]{result.crash.recovery_s:.1f} s[/bold]; the longest wait for a receipt was "
        f"{result.longest_note_s:.1f} s, and {result.refused} notes were refused\n"
    )
    out.print(_nudges(result))
    figures = result.figures
    out.print(
        f"[bold]nudges[/bold]  {figures['risky_nudged']} of {figures['risky']} risky actions were "
        f"nudged, {figures['risky_nudged_with_labelled_incident']} of them first with an outage "
        f"labelled as the same mistake; {figures['harmless_nudged']} of {figures['harmless']} "
        "harmless ones were"
    )
    for name, values in (
        ("recall", [one.recall_ms for one in result.attempts]),
        ("intend", [one.intend_ms for one in result.attempts]),
    ):
        out.print(
            f"[bold]{name}[/bold]  p50 {percentile(values, 50):.1f} ms, "
            f"p95 {percentile(values, 95):.1f} ms (from Ray tasks, one on each core)"
        )
    out.print(f"[dim]{result.agents} agents, {result.seconds:.1f} s[/dim]\n")


def _writes(result: Result) -> Table:
    table = Table(title="What PostgreSQL holds of what was acknowledged", title_justify="left")
    table.add_column("write")
    for title in ("acknowledged", "found", "lost", "duplicated"):
        table.add_column(title, justify="right")
    for name, count in result.counts.items():
        table.add_row(
            name,
            f"{count.acknowledged:,}",
            f"{count.found:,}",
            _zero(count.lost),
            _zero(count.duplicated),
        )
    read = result.notes.acknowledged - result.unread
    table.add_row(
        "notes, by handle", f"{result.notes.acknowledged:,}", f"{read:,}", _zero(result.unread), ""
    )
    return table


def _zero(value: int) -> str:
    return "[green]0[/green]" if value == 0 else f"[bold red]{value:,}[/bold red]"


def _nudges(result: Result) -> Table:
    table = Table(title="Some nudges", title_justify="left", show_lines=True)
    table.add_column("an agent was about to", ratio=3)
    table.add_column("strength")
    table.add_column("and was told", ratio=5, overflow="fold")
    best = sorted(result.nudged, key=lambda one: -one.nudges[0].score)
    for one in best[:_SHOWN]:
        table.add_row(escape(shown(one.intention.text)), _strength(one), _told(one))
    return table


def _strength(one: Attempt) -> str:
    return f"{one.nudges[0].strength}\n{one.nudges[0].score:.2f}"


def _told(one: Attempt) -> str:
    nudge = one.nudges[0]
    source = nudge.evidence[0].source or ""
    return f"{escape(shown(nudge.message))}\n[dim]{escape(shown(source))}[/dim]"
