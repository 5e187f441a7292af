"""A verb has two lanes with one meaning: `await handle.verb(...)` and `handle.verb.remote(...)`."""

import inspect
from collections.abc import Awaitable, Callable
from types import GenericAlias
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    get_args,
    overload,
)  # fmt: skip

from pinak_ray.client.transport import Transport
from pinak_ray.records.wiring import Operation

if TYPE_CHECKING:
    from ray import ObjectRef

__all__ = ["METHODS_DOC", "Bound", "Declared", "Verb", "verb"]

P = ParamSpec("P")
R = TypeVar("R")


class _Holder(Protocol):
    @property
    def transport(self) -> Transport: ...


METHODS_DOC = property(lambda declared: declared._build.__doc__)  # noqa: SLF001 - its own
"""Stands in each class below: a class's docstring would hide what it inherits."""


class Declared(Generic[P, R]):
    """What a method that builds an operation has become: editors and `help` see the method."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[Concatenate[Any, P], Operation[R]]) -> None:
        self._build = build

    @property
    def __name__(self) -> str:
        return self._build.__name__

    __doc__ = METHODS_DOC

    @property
    def __signature__(self) -> inspect.Signature:
        """What a call takes, and what it returns."""
        built = inspect.signature(self._build)
        return built.replace(return_annotation=self._returns(built.return_annotation))

    @staticmethod
    def _returns(operation: Any) -> Any:
        """Return what a call returns that builds an operation of this type."""
        given = get_args(operation)
        answer: Any = given[0] if given else operation.wiring.answer
        return GenericAlias(Awaitable, answer)


class Bound(Declared[P, R]):
    """A verb of one handle. Both lanes check their arguments here, before anything is sent."""

    __slots__ = ("_holder",)

    def __init__(self, holder: _Holder, build: Callable[Concatenate[Any, P], Operation[R]]) -> None:
        self._holder = holder
        self._build = build

    @property
    def __signature__(self) -> inspect.Signature:
        """What a call takes, and what it returns."""
        whole = super().__signature__
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> "ObjectRef[R]":
        """Send it alone, and return Ray's reference to its result."""
        ref: ObjectRef[R] = self._holder.transport.submit(
            self._build(self._holder, *args, **kwargs)
        )
        return ref

    def __repr__(self) -> str:
        return f"<verb {self.__name__}{self.__signature__} of {self._holder!r}>"


class Verb(Bound[P, R]):
    """One verb of one handle."""

    __slots__ = ()
    __doc__ = METHODS_DOC

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        """Send it batched with others, and await its own result."""
        return self._holder.transport.send(self._build(self._holder, *args, **kwargs))


class verb(Declared[P, R]):  # noqa: N801 - used as a decorator
    """Turn a method that builds an operation into a verb that carries it out."""

    __slots__ = ()
    __doc__ = METHODS_DOC

    @overload
    def __get__(self, holder: None, owner: type) -> "verb[P, R]": ...
    @overload
    def __get__(self, holder: _Holder, owner: type) -> Verb[P, R]: ...
    def __get__(self, holder: _Holder | None, owner: type) -> "Verb[P, R] | verb[P, R]":
        return self if holder is None else Verb(holder, self._build)

    def __call__(self, holder: Any, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        """Call it as a function of the class: `AgentHandle.note(agent, "plan", 1)`."""
        return Verb(holder, self._build)(*args, **kwargs)
