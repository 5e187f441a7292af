"""Write verbs.md and errors.md, beside this file, from the code: `make docs`; a test compares them.

A verb's entry is its signature, the first sentence of its docstring, and its way over HTTP: the
routes of its operation, or the path of the command or view of its name.
"""

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from pinak_ray import Swarm, connect
from pinak_ray.client.handles import AgentHandle, BoardHandle
from pinak_ray.client.handles.scratchpad.handle import ScratchpadHandle
from pinak_ray.client.verbs import verb
from pinak_ray.client.watch import watching
from pinak_ray.records.commands import COMMANDS, VIEWS
from pinak_ray.records.errors import PinakError
from pinak_ray.records.operations import Execute, Post, Query
from pinak_ray.records.state.owners import Space
from pinak_ray.records.wiring import Operation

__all__ = ["PAGES", "write"]

_FOLDER = Path(__file__).parent
_SCRATCHPAD = "/v1/agents/{agent}/scratchpad"
_BOARD = "/v1/boards/{board}"
_COLUMNS = 100

_VERBS = """\
# Verbs

Made from the code by `make docs`; a test compares it. Await a verb for what stands behind the
arrow. `handle.verb.remote(...)` gives Ray's reference to it. `help(agent.remember)` says more.
"""
_ERRORS = """\
# Errors

Made from the code by `make docs`; a test compares it. An indented error is a kind of the one above:
`except Unavailable` catches all of its kinds. Over HTTP the `code` stands in the
[problem document](http.md). They are defined in `pinak_ray.records.errors`.

| error | HTTP | `code` | |
|---|---|---|---|"""
# One operation makes and removes links.
_METHODS = {"link": "POST", "unlink": "DELETE"}


def write() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (_FOLDER / name).write_text(page(), encoding="utf-8")


def verbs_page() -> str:
    """Return the reference of all verbs."""
    agent, pad, board = AgentHandle, ScratchpadHandle, BoardHandle
    return "\n".join(
        [
            _VERBS,
            *("## Swarm", "", "`pinak_ray.connect(...)`", "", *_of_swarm()),
            *("## Agent", "", '`swarm.agent("deployer")`', "", *_of_handle(agent, None)),
            *("## Scratchpad", "", "`agent.scratchpad`", "", *_of_handle(pad, Space.AGENT)),
            *("## Board", "", '`swarm.board("incident-7")`', "", *_of_handle(board, Space.BOARD)),
        ]
    )


def errors_page() -> str:
    """Return the reference of all errors."""
    rows = []
    for depth, kind in _family(PinakError):
        name = f"{'&nbsp;&nbsp;' * depth}`{kind.__name__}`"
        rows.append(f"| {name} | {kind.status} | `{kind.code}` | {_first_sentence(kind)} |")
    return "\n".join([_ERRORS, *rows, ""])


PAGES = {"verbs.md": verbs_page, "errors.md": errors_page}


def _of_swarm() -> list[str]:
    entries = _entry("connect", connect, "Swarm", [])
    for name in ("agent", "board", "aclose"):
        entries += _entry(name, getattr(Swarm, name), None, [])
    return entries


def _of_handle(handle: type, space: Space | None) -> list[str]:
    entries = []
    for part in handle.__mro__:
        for name, member in vars(part).items():
            if isinstance(member, verb | watching):
                build = member._build
                returned = inspect.signature(build).return_annotation
                entries += _entry(name, build, _answer(returned), _way(name, returned, space))
    return entries


def _entry(name: str, method: Any, answer: str | None, way: list[str]) -> list[str]:
    signature = inspect.signature(method)
    plain: list[str] = []
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and "*" not in plain:
            plain.append("*")
        if each.name != "self":
            plain.append(_parameter(each))
    lines, returned = [f"{name}("], answer or _type(signature.return_annotation)
    for index, parameter in enumerate(plain):
        text = parameter + ("," if index + 1 < len(plain) else f") -> {returned}")
        if len(lines[-1]) + len(text) > _COLUMNS:
            lines.append("   ")
        lines[-1] += text if lines[-1].endswith("(") else f" {text}"
    if not plain:
        lines[-1] += f") -> {returned}"
    return [f"### {name}", "", "```text", *lines, "```", "", _first_sentence(method), *way, ""]


def _parameter(parameter: inspect.Parameter) -> str:
    default = parameter.default
    plain = parameter.replace(annotation=inspect.Parameter.empty)
    if isinstance(default, Enum):
        plain = plain.replace(default=default.value)
    text = str(plain)
    head, equals, value = text.partition("=")
    typed = f"{head}: {_type(parameter.annotation)}"
    return f"{typed} = {value}" if equals else typed


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"Unpack\[(\w+)\]", r"\1", re.sub(r"\b(?:\w+\.)+(?=\w)", "", text))


def _answer(operation: Any) -> str:
    if get_origin(operation) is not None:
        return _type(get_args(operation)[0])
    return _type(operation.wiring.answer)


def _way(name: str, operation: Any, space: Space | None) -> list[str]:
    """Say where a verb goes over HTTP, or why it does not."""
    base = get_origin(operation) or operation
    base = Post if base is Operation else base
    if base in (Execute, Query):
        method, known = ("POST", COMMANDS) if base is Execute else ("GET", VIEWS)
        if (space, name) not in known:
            raise LookupError(f"no command or view is called {name}")
        routes = [f"{method} {_SCRATCHPAD if space is Space.AGENT else _BOARD}/{name}"]
    else:
        prefix = {Space.AGENT: _SCRATCHPAD, Space.BOARD: _BOARD, None: ""}[space]
        method = _METHODS.get(name, "")
        of_a_board = _BOARD in prefix
        routes = [
            route
            for route in base.wiring.routes
            if prefix in route and route.startswith(method) and (of_a_board or _BOARD not in route)
        ]
    if routes:
        return ["", "HTTP: " + ", ".join(f"`{each.replace(':path', '')}`" for each in routes)]
    if base.wiring.unrouted is None:
        raise LookupError(f"{name} has no route, and no reason")
    return ["", f"HTTP: none ({base.wiring.unrouted})"]


def _first_sentence(of: Any) -> str:
    flat = " ".join(inspect.cleandoc(of.__doc__ or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.])\s+(?=[A-Z`])", flat)[0]


def _family(kind: type[PinakError], depth: int = 0) -> Iterator[tuple[int, type[PinakError]]]:
    yield depth, kind
    for child in kind.__subclasses__():
        if child.__module__ == PinakError.__module__:
            yield from _family(child, depth + 1)


if __name__ == "__main__":
    write()
