"""Operations that are asked for as they are: their own fields are the arguments, on every wire.

`asked` makes one of an owner (or a namespace) and arguments, checked by the types of its fields
(`fields.py`); `body_of` is the same as a model, whose JSON Schema the HTTP reference shows.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from msgspec.structs import fields
from pydantic import BaseModel, create_model

from pinak_ray.records.commands import Strict, checked_model
from pinak_ray.records.state.owners import Owner
from pinak_ray.records.wiring import Operation

__all__ = ["asked", "body_of", "is_owned"]

Op = TypeVar("Op", bound=Operation[Any])


def asked(operation: type[Op], where: Owner | int, **given: Any) -> Op:
    """Return the operation of these arguments, checked; raises InvalidInput."""
    make: Callable[..., Op] = operation
    return make(where, **dict(checked_model(body_of(operation), **given)))


def is_owned(operation: type[Operation[Any]]) -> bool:
    """Tell whether it is about an agent or a board; else it is about a whole namespace."""
    return fields(operation)[0].name == "owner"


@cache
def body_of(operation: type[Operation[Any]], only: frozenset[str] | None = None) -> type[BaseModel]:
    """Return the model of an operation's arguments, or of those named."""
    _, *arguments = fields(operation)  # the first one says where
    asked: dict[str, Any] = {
        one.name: (one.type, ... if one.required else one.default)
        for one in arguments
        if only is None or one.name in only
    }
    name, says = f"{operation.__name__}Body", operation.__doc__
    return create_model(name, __base__=Strict, __doc__=says, **asked)
