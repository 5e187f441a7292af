"""Named queries: SQL lies beside its module, each query under a `-- name: ...` line."""

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

from pinak_ray.store.memories.columns import MEMORY

__all__ = ["query"]

_HEAD = re.compile(r"^-- name: ([a-z_0-9]+)$", re.MULTILINE)


@cache
def _files() -> dict[str, Path]:
    """Find the `.sql` files of the store; no two have the same name."""
    return {path.stem: path for path in Path(__file__).parent.rglob("*.sql")}


# A list that several queries have is written down once, in `columns.py`.
_LISTS = {
    "{memory}": ", ".join(MEMORY),
    "{memory_types}": ", ".join(f"{name} {type_}" for name, type_ in MEMORY.items()),
}


@cache
def _load(file: str) -> dict[str, LiteralString]:
    text = _files()[file].read_text(encoding="utf-8")
    for place, columns in _LISTS.items():
        text = text.replace(place, columns)
    parts = _HEAD.split(text)
    # The files are part of the package, as literal as a string in the code.
    return {
        name: cast("LiteralString", body.strip())
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def query(file: str, name: str) -> LiteralString:
    """Return the query called `name` in `<file>.sql` of the store; KeyError if there is none."""
    return _load(file)[name]
