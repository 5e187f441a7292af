"""The HTML report: one file that needs nothing else, with plots, tables and what was verified."""

from importlib.resources import files
from pathlib import Path
from xml.etree.ElementTree import Element

from pinak_ray.cli.simulation.behaviour import MIX
from pinak_ray.cli.simulation.report.markup import element, page
from pinak_ray.cli.simulation.report.pictures import pictures
from pinak_ray.cli.simulation.report.units import (
    MEBIBYTE,
    count,
    mebibytes,
    milliseconds,
    per_second,
)
from pinak_ray.cli.simulation.result import Result
from pinak_ray.cli.simulation.samples import Cell

__all__ = ["as_html", "write_report"]

_TABLE_HEAD = (
    "verb", "answered", "per s", "p50", "p95", "p99", "max", "p95 from the send", "errors",
)  # fmt: skip


def write_report(result: Result, path: Path) -> None:
    """Write the report; raises OSError."""
    path.write_text(as_html(result), encoding="utf-8")


def as_html(result: Result) -> str:
    """Return the report as an HTML document."""
    title = f"{result.plan.agents:,} agents at work"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} – pinak-ray simulation"),
        element("style", (files(__package__) / "data" / "report.css").read_text("utf-8")),
    )
    body = element(
        "body",
        element(
            "main",
            element("h1", title),
            element("p", _when(result), class_="soft"),
            *_verdict(result),
            _cards(result),
            element("h2", "Over time"),
            element("div", *(plot.figure() for plot in pictures(result)), class_="plots"),
            element("h2", "By verb"),
            _verbs(result),
            element("h2", "What was verified"),
            *_verified(result),
            element("h2", "Parameters and machine"),
            _facts(result),
        ),
    )
    return page(element("html", head, body, lang="en"))


def _when(result: Result) -> str:
    began = f"{result.began_at:%Y-%m-%d %H:%M:%S %Z}"
    early = f" of {result.plan.duration_s:.0f} s, ended early" if result.ended_early else ""
    return f"pinak-ray simulation, {began}, {result.seconds:.0f} s{early}"


def _verdict(result: Result) -> list[Element | None]:
    lag = result.samples.all_lag()
    if result.kept_up:
        kept = element("span", "The machine kept up: ", class_="good")
        says = f"99% of the operations left within {milliseconds(lag.percentile(99))} of being due."
    else:
        kept = element("span", "The machine fell behind: ", class_="bad")
        says = (
            f"half of the operations left at least {milliseconds(lag.percentile(50))} late, the "
            f"worst {milliseconds(lag.longest_ms)}; {result.samples.unsent:,} were never sent."
        )
    died = element("p", f"{result.tasks_died} tasks died.", class_="bad")
    return [element("p", kept, says, class_="verdict"), died if result.tasks_died else None]


def _cards(result: Result) -> Element:
    total = result.samples.all_verbs()
    cards = {
        "operations": count(total.latency.count),
        f"per second; {per_second(result.plan.rate)} due": per_second(result.per_s(total)),
        "latency p50": milliseconds(total.latency.percentile(50)),
        "latency p95": milliseconds(total.latency.percentile(95)),
        "errors": count(total.errors.total()),
        "acknowledged and lost": count(result.verified.lost),
        "memory of the hosts": mebibytes(result.hosts.peak_bytes / MEBIBYTE),
        "intents that met a nudge": count(result.samples.nudged),
    }
    return element(
        "dl",
        *(element("div", element("dt", k), element("dd", v)) for k, v in cards.items()),
        class_="cards",
    )


def _verbs(result: Result) -> Element:
    head = [element("th", title, scope="col") for title in _TABLE_HEAD]
    rows = [_verb_row(result, name, cell) for name, cell in result.rows.items()]
    says = "Latency counts from the moment an operation was due, so waiting to be sent is in it."
    table = element(
        "table",
        element("caption", says),
        element("thead", element("tr", *head)),
        element("tbody", *rows),
    )
    return element(
        "div", table, class_="scroll", tabindex="0", role="region", aria_label="Figures by verb"
    )


def _verb_row(result: Result, name: str, cell: Cell) -> Element:
    latency = cell.latency
    errors = ", ".join(f"{many} {code}" for code, many in sorted(cell.errors.items()))
    figures = [
        count(latency.count),
        f"{result.per_s(cell):,.1f}",
        *(milliseconds(latency.percentile(percent)) for percent in (50, 95, 99)),
        milliseconds(latency.longest_ms if latency.count else None),
        milliseconds(cell.service.percentile(95)),
        errors or "0",
    ]
    row = element("tr", element("th", name, scope="row"), *(element("td", one) for one in figures))
    if name == "all":
        row.set("class", "total")
    return row


def _verified(result: Result) -> list[Element]:
    found = result.verified
    lost = element("strong", f"{found.lost} lost", class_="bad" if found.lost else "good")
    notes = (
        f"The last acknowledged notes of {found.agents:,} agents, {found.notes:,} in all, were "
        f"read back and compared: {found.notes_lost} missing or changed. "
    )
    memories = (
        f"{found.memories:,} memories were acknowledged, and PostgreSQL holds "
        f"{found.memories_stored:,} of this run. "
    )
    return [element("p", notes, memories, "Together: ", lost, ".")]


def _facts(result: Result) -> Element:
    plan, machine = result.plan, result.machine
    facts = {
        "agents": f"{plan.agents:,}, in slices of {len(plan.slices())} Ray tasks",
        "asked": f"{plan.duration_s:.0f} s at {plan.rate:,.1f} operations per second, Poisson; "
        f"each agent acts every {plan.agents / plan.rate:,.0f} s on average",
        "mix": ", ".join(f"{share:.0%} {verb}" for verb, share in MIX.items()),
        "seed": str(plan.seed),
        "project": result.project,
        "machine": f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"load {machine['load_before']} before",
        "versions": f"pinak-ray {machine['pinak_ray']}, Ray {machine['ray']}, "
        f"Python {machine['python']}",
    }
    pairs = [one for k, v in facts.items() for one in (element("dt", k), element("dd", v))]
    return element("dl", *pairs, class_="facts")
