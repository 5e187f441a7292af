"""A figure in prose that names its constant is the constant's: "30 s (`client.x.WINDOW_S`)"."""

import dataclasses
import importlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

# A number, perhaps its unit and three more words, then the constant's name below `pinak_ray`.
_FIGURE = re.compile(
    r"(?P<number>\d[\d,]*(?:\.\d+)?|\.\d+)\s?(?P<unit>%|[A-Za-z]+)?(?:\s[A-Za-z-]+){0,3}"
    r"\s\(`(?P<constant>[a-z_]+(?:\.\w+)+)`\)"
)
_NAMED = re.compile(r"\(`[a-z_]+(?:\.[a-z_0-9]+)*\.(?:[A-Z]\w*\.[a-z_]+|_?[A-Z][A-Z_0-9]+)`\)")
_UNITS = {
    "%": 0.01, "ms": 0.001, "minutes": 60, "hour": 3_600, "hours": 3_600, "days": 86_400,
    "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}  # fmt: skip


def figures(text: str) -> Iterator[tuple[float, str, str]]:
    """Yield number, unit and constant of each figure that names its constant."""
    for match in _FIGURE.finditer(" ".join(text.split())):
        yield float(match["number"].replace(",", "")), match["unit"] or "", match["constant"]


def is_right(number: float, unit: str, constant: str) -> bool:
    """Tell whether a constant says so, in seconds, bytes or shares unless its name or size does."""
    value = float(value_of(constant))
    told = re.search(r"_(ms|mb|days)$", constant, re.IGNORECASE) or (unit == "%" and value > 1)
    return math.isclose(number * (1 if told else _UNITS.get(unit, 1)), value)


def value_of(constant: str) -> Any:
    """Return what a dotted name below `pinak_ray` stands for: a constant, or a field's default."""
    parts = constant.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            value: Any = importlib.import_module("pinak_ray." + ".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            value = default_of(value, name) if isinstance(value, type) else getattr(value, name)
        return value
    raise LookupError(constant)


def default_of(owner: Any, name: str) -> Any:
    """Return the default of a field of settings or of a dataclass."""
    if hasattr(owner, "model_fields"):
        return owner.model_fields[name].default
    return {field.name: field.default for field in dataclasses.fields(owner)}[name]


def wrong(text: str) -> list[str]:
    """Return each figure that is not its constant's."""
    return [
        f"{number:g} {unit} stands where {constant} is {value_of(constant)}"
        for number, unit, constant in figures(text)
        if not is_right(number, unit, constant)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_figure_is_what_its_constant_says(page: Path) -> None:
    """No page keeps a figure that the code has left, and each that is named is compared."""
    text = page.read_text(encoding="utf-8")

    assert wrong(text) == []
    assert len(list(figures(text))) == len(_NAMED.findall(" ".join(text.split())))


def test_docstrings_and_comments_keep_up_with_their_constants() -> None:
    """What holds for pages holds for what the code says of itself."""
    stale = []
    for source in (ROOT / "pinak_ray").rglob("*.py"):
        text = re.sub(r"^\s*#", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
        stale += [f"{source.name}: {each}" for each in wrong(text)]

    assert stale == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the best 20 (`nudges.evidence.CANDIDATES`) by words", 0),
        ("the best 50 (`nudges.evidence.CANDIDATES`) by words", 1),
        ("after 30 s (`client.over_ray.actor_calls.RETRY_WINDOW_S`)", 0),
        ("after 20 s (`client.over_ray.actor_calls.RETRY_WINDOW_S`)", 1),
        ("after 30 s (`serve.context.Deadlines.write_s`)", 0),
        ("10 seconds for a write (`serve.context.Deadlines.write_s`)", 1),
        ("64 MiB (`agents.log.entry_log.MAX_BYTES`)", 0),
        ("64 KiB (`agents.log.entry_log.MAX_BYTES`)", 1),
        ("10% (`composed.context._INTENT_SHARE`)", 0),
        ("10% (`nudges.usefulness._RISE`)", 0),
        (".7 or more (`store.memories.links.LEAST_COSINE`)", 0),
        ("8642 (`cluster.settings.Settings.http_port`)", 0),
    ],
)
def test_a_wrong_figure_is_found(text: str, found: int) -> None:
    """Seconds, sizes, shares and settings: a figure of another value does not pass."""
    assert len(wrong(text)) == found
