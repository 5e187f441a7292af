"""Errors keep what they carry on every border, and the drawn tree is the real one."""

import pickle
import re
from collections.abc import Iterator
from uuid import UUID

import pytest

from pinak_ray.records import errors
from pinak_ray.records.errors import Overloaded, PinakError, Superseded, VersionConflict

_ARGUMENTS: dict[type[PinakError], tuple[object, ...]] = {
    VersionConflict: ("plan", 1, 2),
    Overloaded: ("the writer", 2.5),
    Superseded: (UUID(int=1), UUID(int=2)),
}
_LINE = re.compile(r"^(?P<lead>[│├└─ ]*)(?P<name>[A-Z]\w+)(?:\s.*?(?:HTTP (?P<status>\d+))?)?$")


def family(root: type[PinakError] = PinakError) -> Iterator[type[PinakError]]:
    """Yield the class and all below it that the errors module defines."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from family(child)


def drawn() -> Iterator[tuple[str, str | None, int | None]]:
    """Yield (name, parent, HTTP status) of each line of the module's tree."""
    path: list[str] = []
    for line in (errors.__doc__ or "").split("\n\n")[1].splitlines():
        match = _LINE.match(line)
        assert match is not None, line
        depth = len(match["lead"]) // 4
        del path[depth:]
        status = int(match["status"]) if match["status"] else None
        yield match["name"], path[-1] if path else None, status
        path.append(match["name"])


def an_error(kind: type[PinakError]) -> PinakError:
    """Return an error with every argument that its class takes."""
    return kind(*_ARGUMENTS.get(kind, ("the plan is full",)))


@pytest.mark.parametrize("kind", [*family()], ids=lambda kind: kind.__name__)
def test_pickling_keeps_an_error_whole(kind: type[PinakError]) -> None:
    """An error comes out of a pickle with its class, arguments, attributes and text."""
    error = an_error(kind)
    copy = pickle.loads(pickle.dumps(error))

    assert kind is type(copy)
    assert error.args == copy.args
    assert vars(error) == vars(copy)
    assert str(error) == str(copy)


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    """Each class stands in the drawing under its own base, and nothing else does."""
    real = {
        kind.__name__: None if kind is PinakError else kind.__bases__[0].__name__
        for kind in family()
    }

    assert real == {name: parent for name, parent, _ in drawn()}


def test_the_drawing_names_the_status_that_is_sent() -> None:
    """An HTTP status in the drawing is the class's own."""
    named = {name: status for name, _, status in drawn() if status is not None}

    assert named == {name: getattr(errors, name).status for name in named}
    assert {"InvalidInput", "Overloaded", "Unavailable"} <= named.keys()


def test_every_error_is_exported() -> None:
    """`__all__` lists every class of the tree, sorted."""
    assert sorted(kind.__name__ for kind in family()) == errors.__all__


def test_codes_are_unique() -> None:
    """A code in a problem document names one class only."""
    codes = [kind.code for kind in family()]

    assert len(codes) == len(set(codes))


def test_a_version_conflict_tells_what_to_do() -> None:
    """The conflict carries key, expected and current version, and says them."""
    error = VersionConflict("plan", 1, 4)

    assert (error.key, error.expected, error.current) == ("plan", 1, 4)
    assert str(error) == "'plan' is at version 4, not 1; read it and retry"


def test_an_error_without_a_message_says_its_meaning() -> None:
    """The class's docstring stands in for a message that nobody gave."""
    assert str(errors.NotRunning()) == "No stack is running here; start one with `pinak-ray up`."
