"""Commands change a board or a scratchpad, views read one: what each takes, and what it answers.

Each is a model of its own in `board` and `scratchpad`. One operation carries all
commands, and one all views, over every wire; over HTTP the model is the body, or the query.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_SEQ,
)
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.state.owners import Space

__all__ = [
    "COMMANDS",
    "VIEWS",
    "Answer",
    "Command",
    "ListAnswer",
    "Listed",
    "Strict",
    "View",
    "checked_model",
]

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A model that takes no field beyond its own, and does not change."""

    # Built on first use: there are ninety of them, and a process needs a few.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Answer(Strict):
    """What a command or a view answers, where a receipt does not say it."""


class ListAnswer(Answer):
    """A list, as far as one answer holds it."""

    more: int = 0
    """How many more were asked for: the same with `skip` raised by what came brings them."""


class Command(Strict):
    """A change. `class Ask(Command, space=Space.BOARD, verb="ask")` makes it known to all wires."""

    space: ClassVar[Space]
    verb: ClassVar[str]
    answer: ClassVar[type[Answer] | type[Receipt]] = Receipt
    """What it answers; a command that answers more than a receipt may be asked again as it is."""

    def __init_subclass__(cls, *, space: Space, verb: str, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.space, cls.verb = space, verb
        _commands[space, verb] = cls


class View(Strict):
    """A reading: nothing is changed."""

    # FastAPI reads it from a query, and wants it built when it makes the route.
    model_config = ConfigDict(defer_build=False)

    space: ClassVar[Space]
    name: ClassVar[str]
    answer: ClassVar[type[Answer]]

    def __init_subclass__(cls, *, space: Space, name: str, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.space, cls.name = space, name
        _views[space, name] = cls


class Listed(Strict):
    """What a view of a list can be asked besides; its answer has no more than 4 MiB."""

    lists: ClassVar[tuple[str, ...]]
    """The answer's fields that are lists."""

    skip: Annotated[int, Field(ge=0, le=MAX_SEQ)] = 0
    """How many to leave out at the beginning."""


_commands: dict[tuple[Space, str], type[Command]] = {}
_views: dict[tuple[Space, str], type[View]] = {}

COMMANDS: Mapping[tuple[Space, str], type[Command]] = MappingProxyType(_commands)
"""All commands, by where they belong and their verb."""
VIEWS: Mapping[tuple[Space, str], type[View]] = MappingProxyType(_views)
"""All views, by where they belong and their name."""


def checked_model(model: type[M], **given: Any) -> M:
    """Return a command or a view of these fields; raises InvalidInput that names what is wrong."""
    try:
        return model(**given)
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise InvalidInput("; ".join(faults)) from None
