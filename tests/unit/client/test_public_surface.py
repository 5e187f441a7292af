"""The public surface: every type has one import, and a verb looks as the method that it is."""

import inspect
import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from pinak_ray import types
from pinak_ray.client import AgentHandle, BoardHandle, ScratchpadHandle, Swarm
from pinak_ray.client.handles.handle import Handle
from pinak_ray.client.watch import Watcher
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.testing import LocalSwarm

HANDLES: tuple[type[Handle], ...] = (AgentHandle, BoardHandle, ScratchpadHandle)
VERBS = [
    (handle, name)
    for handle in HANDLES
    for name in dir(handle)
    if not name.startswith("_") and callable(getattr(handle, name))
]


def signature(handle: type[Handle], name: str) -> inspect.Signature:
    """Return what a verb takes and gives."""
    return inspect.signature(getattr(handle, name))


def named(annotation: Any, seen: set[type]) -> Iterator[type]:
    """Yield the package's own classes in an annotation, and in what these hold."""
    for part in (get_origin(annotation), *get_args(annotation)):
        if part is not None and not isinstance(part, str | int):
            yield from named(part, seen)
    if inspect.isclass(annotation) and annotation.__module__.startswith("pinak_ray"):
        if annotation in seen:
            return
        seen.add(annotation)
        yield annotation
        for name, hint in get_type_hints(annotation).items():
            if not name.startswith("_"):
                yield from named(hint, seen)


@pytest.mark.parametrize(
    ("handle", "name"), VERBS, ids=lambda each: getattr(each, "__name__", each)
)
def test_every_type_of_a_verb_has_one_import(handle: type[Handle], name: str) -> None:
    """What a verb takes and gives, and what that holds, is in `pinak_ray.types`."""
    built = signature(handle, name)
    given = [each.annotation for each in built.parameters.values()]
    found = {one for hint in (*given, built.return_annotation) for one in named(hint, set())}

    assert {one.__name__ for one in found if getattr(types, one.__name__, None) is not one} == set()


def test_nothing_else_is_among_the_types() -> None:
    """The list is sorted, and holds classes of the package only."""
    assert types.__all__ == sorted(types.__all__)
    for name in types.__all__:
        assert getattr(types, name).__module__.startswith("pinak_ray")


def test_a_verb_shows_what_it_takes_and_gives() -> None:
    """An editor asks for the signature: a handle's verb has no `self`, its class's has one."""
    agent = LocalSwarm().agent("a")
    shown = inspect.signature(agent.note)

    assert list(shown.parameters)[:2] == ["key", "value"]
    assert get_args(shown.return_annotation) == (Receipt,)
    assert next(iter(inspect.signature(AgentHandle.note).parameters)) == "self"
    assert inspect.signature(agent.watch).return_annotation is Watcher
    assert agent.note.__name__ == "note"
    for shown_of in (agent.note, AgentHandle.note):
        assert str(shown_of.__doc__).startswith("Write one working item")
    for shown_of in (agent.watch, AgentHandle.watch):
        assert str(shown_of.__doc__).startswith("Watch the agent")
    assert "(key: str" in repr(agent.note)


async def test_a_verb_of_the_class_is_called_as_any_method() -> None:
    """`AgentHandle.note(agent, ...)` is `agent.note(...)`."""
    agent = LocalSwarm().agent("a")

    assert (await AgentHandle.note(agent, "plan", 1)).new


def test_every_verb_is_type_checked() -> None:
    """The file that mypy checks states the type of each verb of each handle."""
    checked = (Path(__file__).parents[2] / "typing" / "verbs.py").read_text(encoding="utf-8")
    variable = {AgentHandle: "agent", BoardHandle: "board", ScratchpadHandle: "pad"}

    missing = [
        f"{variable[handle]}.{name}"
        for handle, name in VERBS
        if name != "elaborate" and f"{variable[handle]}.{name}(" not in checked
    ]
    assert missing == []


@pytest.mark.parametrize("shown", [Swarm, *HANDLES], ids=lambda shown: shown.__name__)
async def test_each_handle_shows_how_it_is_used(shown: type[Any]) -> None:
    """The example in its docstring does what it says."""
    _, _, example = inspect.cleandoc(shown.__doc__ or "").partition("Example::\n")
    lines = example.splitlines()
    block = itertools.takewhile(lambda line: not line or line.startswith(" "), lines)
    body = textwrap.indent(textwrap.dedent("\n".join(block)), "    ")
    assert "await" in body, f"{shown.__name__} shows no example"
    names: dict[str, Any] = {}
    exec(f"async def shown(swarm):\n{body}", names)
    async with LocalSwarm() as swarm:
        await names["shown"](swarm)
