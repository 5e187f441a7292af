"""How an operation is carried: where, by which call, over which routes; said once, beside it.

    @wired(Place.SEARCH, "POST /v1/recall")
    class Recall(Operation[RecallResult], frozen=True): ...

What carries operations reads this table: the transports, the gateway, the twin, the deadlines and
the reference. A test walks it, so that nothing can be forgotten.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, get_args

import msgspec

__all__ = ["WIRING", "Operation", "Place", "Wiring", "wired"]

R_co = TypeVar("R_co", covariant=True)
Op = TypeVar("Op", bound="type[Operation[Any]]")


class Operation(msgspec.Struct, Generic[R_co], frozen=True):
    """Base of all operations; R is what carrying it out returns."""

    wiring: "ClassVar[Wiring]"

    def beside(self) -> "Operation[Any] | None":
        """Return what its host is told while it is carried out; mostly nothing."""
        return None


class Place(StrEnum):
    """Who carries an operation out."""

    HOST = "host"
    """The host of its owner, in the order in which the caller sent."""
    BESIDE = "beside"
    """The same host, beside that order: it may wait for long."""
    WRITER = "writer"
    SEARCH = "search"
    """A Recaller; a gateway in its own process."""
    SUPERVISOR = "supervisor"
    COMPOSED = "composed"
    """Several other operations, put together by the client, or by the gateway over HTTP."""


class Wiring(NamedTuple):
    """What is declared of one operation."""

    place: Place
    call: str
    """The method that carries it out, of the actor and of the plain object behind it."""
    writes: bool
    routes: tuple[str, ...]
    """Method and path of each route over HTTP; `{verb}` and `{view}` stand for all of them."""
    unrouted: str | None
    """Why it has no route; None where it has."""
    answer: Any
    """The type that it returns."""
    under: str | None
    """The name that a tuple of answers stands under in JSON; None where it is an object."""
    tag: str | None
    """In the HTTP reference, of one that is asked for as it is (`asking.py`): its route is made of
    its fields. None: its route is written by hand."""
    created: bool
    """Whether what is new is answered with 201."""


_wirings: "dict[type[Operation[Any]], Wiring]" = {}
WIRING: "Mapping[type[Operation[Any]], Wiring]" = MappingProxyType(_wirings)
"""All operations."""


def wired(
    place: Place,
    *routes: str,
    call: str | None = None,
    writes: bool = False,
    unrouted: str | None = None,
    under: str | None = None,
    tag: str | None = None,
    created: bool = False,
) -> Callable[[Op], Op]:
    """Declare how an operation is carried; `call` is its name in snake case unless it is given."""

    def declare(operation: Op) -> Op:
        (answer,) = get_args(operation.__orig_bases__[0])  # type: ignore[attr-defined]
        method = call or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation.__name__).lower()
        operation.wiring = Wiring(
            place, method, writes, routes, unrouted, answer, under, tag, created
        )
        _wirings[operation] = operation.wiring
        return operation

    return declare
