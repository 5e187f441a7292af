"""The house's law of sizes: a file is one idea."""

from pathlib import Path

import pinak_ray

PACKAGE = Path(pinak_ray.__file__).parent
MOST_LINES = 400
# Nearly all of them are far smaller: a twentieth may be longer than this.
USUAL_LINES = 250


def sources() -> dict[str, str]:
    """Return the package's files with their text."""
    return {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }


def test_no_file_is_long() -> None:
    """Whoever opens one finds what its name says, without a search."""
    lines = {path: len(text.splitlines()) for path, text in sources().items()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
    assert sum(count > USUAL_LINES for count in lines.values()) <= len(lines) // 20
