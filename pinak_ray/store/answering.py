"""What answers an operation from the database alone: each function says so where it stands."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pinak_ray.records.wiring import Operation
from pinak_ray.store.database import Database

__all__ = ["ANSWERS", "answers"]

Op = TypeVar("Op", bound=Operation[Any])
Answering = Callable[[Database, Op], Awaitable[Any]]

_answers: dict[type[Operation[Any]], Callable[[Database, Any], Awaitable[Any]]] = {}
ANSWERS: Mapping[type[Operation[Any]], Callable[[Database, Any], Awaitable[Any]]] = (
    MappingProxyType(_answers)
)
"""By the type of the operation."""


def answers(operation: type[Op]) -> Callable[[Answering[Op]], Answering[Op]]:
    """Let this function answer an operation whose place is `search`."""

    def keep(function: Answering[Op]) -> Answering[Op]:
        _answers[operation] = function
        return function

    return keep
