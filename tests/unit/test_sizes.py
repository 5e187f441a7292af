"""The house's law of sizes: a file is one idea, a function is read at one look."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pinak_ray

PACKAGE = Path(pinak_ray.__file__).parent
MOST_LINES = 400
MOST_OF_A_FUNCTION = 60
# Nearly all of them are far smaller: a twentieth may be longer than this.
USUAL_LINES = 250
USUAL_OF_A_FUNCTION = 24


def sources() -> dict[str, str]:
    """Return the package's files with their text."""
    return {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }


def functions() -> Iterator[tuple[str, int]]:
    """Yield each function with its lines, its signature and docstring among them."""
    for path, text in sources().items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{path}: {node.name}", node.end_lineno - node.lineno + 1


def test_no_file_is_long() -> None:
    """Whoever opens one finds what its name says, without a search."""
    lines = {path: len(text.splitlines()) for path, text in sources().items()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
    assert sum(count > USUAL_LINES for count in lines.values()) <= len(lines) // 20


def test_no_function_is_long() -> None:
    """What does several things has several names."""
    lines = dict(functions())
    assert {name: count for name, count in lines.items() if count > MOST_OF_A_FUNCTION} == {}
    assert sum(count > USUAL_OF_A_FUNCTION for count in lines.values()) <= len(lines) // 20
