"""Named queries: SQL lives in `sql/*.sql`, each query under a `-- name: ...` line."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

__all__ = ["query"]

_HEAD = re.compile(r"^-- name: ([a-z_0-9]+)$", re.MULTILINE)


@cache
def _load(file: str) -> dict[str, LiteralString]:
    text = files("pinak_ray.store").joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
    parts = _HEAD.split(text)
    # The files are part of the package, as literal as a string in the code.
    return {
        name: cast("LiteralString", body.strip())
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def query(file: str, name: str) -> LiteralString:
    """Return the query called `name` in `sql/<file>.sql`; KeyError if there is none."""
    return _load(file)[name]
