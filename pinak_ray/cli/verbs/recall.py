"""`pinak-ray recall`: search, filter, page and explain, for a shell."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.table import Table

from pinak_ray.cli.access import ask
from pinak_ray.cli.console import plain, print_json, stdout
from pinak_ray.cli.options import Target, with_options
from pinak_ray.recall.recipes import RECIPES
from pinak_ray.records.memory.recall import Hit, RecallResult, Signal, Trace

__all__ = ["register"]

_EPILOG = """
[bold]Examples[/bold]

  pinak-ray recall "what blocked the last rollout?"

  pinak-ray recall "orders" -k 3 --outcome failure --any-tag db --no-tag drill

  pinak-ray recall "who owns billing?" --as-of 2026-03-01T12:00:00+00:00

  pinak-ray recall --recipe recent --agent deployer

  pinak-ray recall "lock timeout" --recipe exact --since 2026-01-01T00:00Z

  pinak-ray recall "db7" --trace

  pinak-ray recall "db7" --json | jq -r '.hits[0].content, .cursor'

The recipe `recent` shows the latest memories and needs no query; `exact` those that say these words
in this order. Times are ISO 8601 with a zone. Where there is more, the last line names the --cursor
that shows it: repeat the command with it.
"""

_WHICH = "Which memories"


def _filter(name: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        f"--{name}", help=text, rich_help_panel=_WHICH, show_default=False
    )
    return option


Names = list[str] | None


@dataclass(frozen=True, slots=True)
class Which:
    """The filters; what is None filters nothing."""

    agents: Annotated[Names, _filter("agent", "Of this agent; repeat it for others.")] = None
    layers: Annotated[
        Names,
        _filter("layer", "In this layer: semantic, episodic, procedural, reference; repeat it."),
    ] = None
    sessions: Annotated[Names, _filter("session", "Of this session; repeat it for others.")] = None
    tags: Annotated[Names, _filter("tag", "With this tag; repeated: with all of them.")] = None
    any_tags: Annotated[
        Names, _filter("any-tag", "With this tag; repeated: with at least one.")
    ] = None
    no_tags: Annotated[
        Names, _filter("no-tag", "Without this tag; repeated: with none of them.")
    ] = None
    entities: Annotated[
        Names, _filter("entity", "About this entity; repeated: about all of them.")
    ] = None
    outcome: Annotated[
        str | None, _filter("outcome", "That ended so: success, failure, partial or unknown.")
    ] = None
    since: Annotated[
        str | None, _filter("since", "Occurred at this time or later, with a zone.")
    ] = None
    until: Annotated[str | None, _filter("until", "Occurred before this time.")] = None
    as_of: Annotated[
        str | None, _filter("as-of", "Believed at this time: stored by then, not yet superseded.")
    ] = None
    min_score: Annotated[float | None, _filter("min-score", "With at least this score.")] = None
    min_relevance: Annotated[
        float | None, _filter("min-relevance", "At least so likely to answer, from 0 to 1.")
    ] = None
    now: Annotated[
        str | None, _filter("now", "When it is for you, with an offset: what today means.")
    ] = None
    zone: Annotated[
        str | None, _filter("zone", "Your zone: Europe/Berlin, +05:30; else the namespace's.")
    ] = None
    rerank: Annotated[
        bool | None,
        typer.Option(
            "--rerank/--no-rerank",
            help="Put the first 20 in the order of the stack's reranker, or leave them.",
            rich_help_panel=_WHICH,
            show_default=False,
        ),
    ] = None
    every_copy: Annotated[
        bool | None,
        typer.Option(
            "--every-copy",
            help="Show each of equal memories.",
            rich_help_panel=_WHICH,
            show_default=False,
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """Return what was said, as the verb's arguments."""
        return {name: value for name, value in asdict(self).items() if value is not None}


Query = Annotated[str | None, typer.Argument(help="What to look for.", show_default=False)]
Hits = Annotated[int, typer.Option("-k", help="How many memories a page.")]
Recipe = Annotated[str, typer.Option(help=f"How signals are combined: {', '.join(RECIPES)}.")]
RrfK = Annotated[
    int | None,
    typer.Option(
        "--rrf-k", help="The constant of the recipe rrf. [dim]60[/dim]", show_default=False
    ),
]
Cursor = Annotated[
    str | None,
    typer.Option("--cursor", help="The next page, as the last one named it.", show_default=False),
]
WithTrace = Annotated[bool, typer.Option("--trace", help="Say why each hit was found.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(recall)


@with_options
def recall(
    target: Target,
    which: Which,
    query: Query = None,
    k: Hits = 5,
    recipe: Recipe = "default",
    rrf_k: RrfK = None,
    trace: WithTrace = False,
    cursor: Cursor = None,
) -> None:
    """Search the namespace's memories."""
    if query is None and recipe != "recent":
        raise typer.BadParameter("say what to look for; only --recipe recent goes without")
    result = ask(
        target,
        "cli",
        lambda handle: handle.recall(
            query,
            k=k,
            recipe=recipe,
            rrf_k=rrf_k,
            trace=trace,
            cursor=cursor,
            **which.given(),
        ),
    )
    if target.as_json:
        print_json(result)
    else:
        _show(result)


def _show(result: RecallResult) -> None:
    if result.degraded is not None:
        typer.echo(plain(result.degraded), err=True)
    if result.hits:
        stdout().print(_hits(result.hits))
    if result.trace is not None:
        _explain(result.hits, result.trace)
    if not result.hits:
        typer.echo("nothing found", err=True)
    elif result.cursor is not None:
        typer.echo(f"more with --cursor {result.cursor}", err=True)


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold", header_style="dim")
    return table


def _hits(hits: Sequence[Hit]) -> Table:
    table = _table("", "score", "when", "agent", "layer", "content")
    for place, hit in enumerate(hits, 1):
        kind = f"{hit.layer}" + (f", {hit.outcome}" if hit.outcome else "")
        day = f"{hit.occurred_at:%Y-%m-%d}"
        score = f"{hit.score:.2f}"
        table.add_row(str(place), score, day, plain(hit.agent), kind, plain(hit.content))
    return table


def _explain(hits: Sequence[Hit], trace: Trace) -> None:
    """Print what each hit's score is made of, and how the recall came by its candidates."""
    table = _table("hit", "signal", "score", "rank", "weight", "adds")
    for place, hit in enumerate(hits, 1):
        for signal in filter(_matters, hit.signals):
            score = "-" if signal.score is None else f"{signal.score:.2f}"
            table.add_row(
                str(place),
                plain(signal.name),
                score,
                str(signal.rank or "-"),
                f"{signal.weight:g}",
                f"{signal.contribution:+.3f}",
            )
    brought = ", ".join(f"{name} {count}" for name, count in trace.candidates.items())
    constant = "" if trace.rrf_k is None else f" (k = {trace.rrf_k})"
    floor = "" if trace.min_score is None else f" of at least {trace.min_score:g}"
    times = ", ".join(f"{step} {ms:.1f} ms" for step, ms in trace.timings_ms.items())
    out = stdout()
    out.print()
    out.print(table)
    out.print(
        f"\n[dim]recipe {trace.recipe}, fusion {trace.fusion}{constant}; {times}\n"
        f"candidates: {brought}; {trace.fused} different ones, {trace.kept} hits{floor}[/dim]"
    )


def _matters(signal: Signal) -> bool:
    return signal.contribution != 0 or bool(signal.score)
