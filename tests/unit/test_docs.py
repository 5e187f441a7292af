"""The documents keep up with the code: settings, links, decisions, and the pinned versions."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from docs.reference.generate import PAGES
from pinak_ray.client.discovery import ClientSettings
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.wiring import WIRING

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROSE = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"^\| `(PINAK_[A-Z_]+)` \|", re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as code forges make them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def section(title: str) -> str:
    """Return the part of the page of settings under the heading that starts with `title`."""
    text = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {title}")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("The stack", list(Settings.model_fields)),
        ("The client", [each.name for each in fields(ClientSettings)]),
    ],
    ids=["stack", "client"],
)
def test_every_setting_is_documented_and_no_other(title: str, names: list[str]) -> None:
    """The page of settings lists what the environment can set, in the order of the code."""
    assert [f"PINAK_{name.upper()}" for name in names] == _SETTING.findall(section(title))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(document: Path) -> None:
    """A link to another file, or to a heading in it, is not dead."""
    text = _CODE_BLOCK.sub("", document.read_text(encoding="utf-8"))
    dead = []
    for link in _LINK.findall(text):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_decision_is_listed() -> None:
    """The index of decisions names each page, in order."""
    folder = ROOT / "docs" / "decisions"
    listed = _LINK.findall((folder / "README.md").read_text(encoding="utf-8"))

    assert sorted(page.name for page in folder.glob("[0-9]*.md")) == listed


@pytest.mark.parametrize("document", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_are_short_enough_to_compare(document: Path) -> None:
    """Prose is wrapped at 120 characters, so that a change shows; tables and code need not be."""
    text = _CODE_BLOCK.sub("", document.read_text(encoding="utf-8"))
    prose = [line for line in text.splitlines() if not line.startswith("|")]

    assert [line for line in prose if len(line) > 120] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_says_what_the_code_says(name: str) -> None:
    """Signatures, first sentences, routes and errors: `make docs` writes what lacks."""
    page = ROOT / "docs" / "reference" / name

    assert PAGES[name]() == page.read_text(encoding="utf-8")


def test_every_route_is_in_the_reference() -> None:
    """The table of HTTP has each route that an operation declares, and what a verb's path is."""

    def plain(path: str) -> str:
        return re.sub(r"\{[^}]*\}", "{}", path)

    text = (ROOT / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `/")]
    told = {
        f"{method.strip()} {plain(path)}"
        for row in rows
        for path in re.findall(r"`(/[^`]*)`", row[1])
        for method in row[2].split(",")
    }
    declared = {
        plain(route)
        for wiring in WIRING.values()
        for route in wiring.routes
        if "{verb}" not in route and "{view}" not in route
    }

    assert declared - told == set()


def test_constraints_hold_versions_only() -> None:
    """Pins name no address, no hash and no index, and no torch comes in."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if not line.startswith("#")]

    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][\w.]*", pin)] == []
    assert [pin for pin in pins if re.match(r"(torch|triton|nvidia)", pin, re.IGNORECASE)] == []
