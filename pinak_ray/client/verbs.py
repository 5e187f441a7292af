"""A verb has two lanes with one meaning: `await handle.verb(...)` and `handle.verb.remote(...)`."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from pinak_ray.client.transport import Transport
from pinak_ray.records.wiring import Operation

if TYPE_CHECKING:
    from ray import ObjectRef

__all__ = ["Verb", "verb"]

P = ParamSpec("P")
R = TypeVar("R")


class _Holder(Protocol):
    @property
    def transport(self) -> Transport: ...


class Verb(Generic[P, R]):
    """One verb of one handle. Both lanes check their arguments here, before anything is sent."""

    __slots__ = ("_build", "_holder")

    def __init__(self, holder: _Holder, build: Callable[Concatenate[Any, P], Operation[R]]) -> None:
        self._holder = holder
        self._build = build

    @property
    def __name__(self) -> str:
        return self._build.__name__

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._build.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        """Send it batched with others, and await its own result."""
        return self._holder.transport.send(self._build(self._holder, *args, **kwargs))

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> "ObjectRef[R]":
        """Send it alone, and return Ray's reference to its result."""
        ref: ObjectRef[R] = self._holder.transport.submit(
            self._build(self._holder, *args, **kwargs)
        )
        return ref

    def __repr__(self) -> str:
        return f"<verb {self.__name__} of {self._holder!r}>"


class verb(Generic[P, R]):  # noqa: N801 - used as a decorator
    """Turn a method that builds an operation into a verb that carries it out."""

    def __init__(self, build: Callable[Concatenate[Any, P], Operation[R]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, holder: None, owner: type) -> "verb[P, R]": ...
    @overload
    def __get__(self, holder: _Holder, owner: type) -> Verb[P, R]: ...
    def __get__(self, holder: _Holder | None, owner: type) -> "Verb[P, R] | verb[P, R]":
        return self if holder is None else Verb(holder, self._build)
