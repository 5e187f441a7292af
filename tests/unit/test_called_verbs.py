"""Nothing is there that nobody calls: every verb is tried end to end, or in an example."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinak_ray.client import AgentHandle, BoardHandle, ScratchpadHandle
from pinak_ray.client.handles.handle import Handle
from pinak_ray.client.verbs import verb
from pinak_ray.client.watch import watching

ROOT = Path(__file__).parents[2]
PLACES = ("tests/contract", "tests/ray", "examples")
HANDLES: tuple[type[Handle], ...] = (AgentHandle, BoardHandle, ScratchpadHandle)
# How a handle is called in the sources; many names are verbs of several, or methods of others.
CALLED = {BoardHandle: "board", ScratchpadHandle: "pad"}


def verbs_of(handle: type[Handle]) -> set[str]:
    """Return the names of a handle's verbs, those of its parts included."""
    return {
        name
        for part in handle.__mro__
        for name, value in vars(part).items()
        if isinstance(value, verb | watching)
    }


def uses() -> Iterator[tuple[str, str]]:
    """Yield each attribute that the sources use, and the text of what it is an attribute of."""
    for place in PLACES:
        for path in sorted((ROOT / place).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    yield node.attr, ast.unparse(node.value)


def handle_of(asked: str) -> type[Handle]:
    """Return which handle a piece of source is meant to be."""
    return next((handle for handle, name in CALLED.items() if name in asked), AgentHandle)


USES = sorted(set(uses()))


@pytest.mark.parametrize("handle", HANDLES, ids=lambda handle: str(handle.__name__))
def test_every_verb_is_called(handle: type[Handle]) -> None:
    """Each verb of a handle is used in a contract test, a test on the stack, or an example."""
    called = {name for name, asked in USES if handle_of(asked) is handle}

    assert verbs_of(handle)
    assert sorted(verbs_of(handle) - called) == []
