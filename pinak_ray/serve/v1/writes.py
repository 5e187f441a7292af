"""What writes take beside their bodies: the ack level, and an idempotency key or none."""

from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Query, Request

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.forms import ID_FORM, NAME_FORM
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.write_keys import WRITE_ID, made_id
from pinak_ray.serve.auth.callers import Caller, Writer
from pinak_ray.serve.v1.problems import InvalidFields

__all__ = ["AckQuery", "KeyHeader", "UnkeyedWriter", "WriteOptions", "Writing", "given_once"]

T = TypeVar("T")

_KEY = "Idempotency-Key"

AckQuery = Annotated[
    Ack | None,
    Query(description="How far the write must have come; `durable` unless the body says."),
]
KeyHeader = Annotated[
    Annotated[str, NAME_FORM] | None,
    Header(
        alias=_KEY, description="Names this write: repeating it is answered as the first one was."
    ),
]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The options of the query and the headers; a body may give the same ones."""

    ack: Ack | None
    idempotency_key: str | None
    made: UUID | None = None
    """The id that the client made for this call."""

    def ack_with(self, body: Ack | None) -> Ack:
        """Return the ack level asked for in either place; `durable` where none was."""
        return given_once("ack", self.ack, body) or Ack.DURABLE

    def key_with(self, body: str | None) -> str | None:
        """Return the idempotency key given in either place."""
        return given_once("idempotency_key", self.idempotency_key, body)

    def key_at(self, position: int, body: str | None) -> str | None:
        """Return the key of one item in a batch: its own, or the batch's with its position."""
        if body is not None or self.idempotency_key is None:
            return body
        return f"{self.idempotency_key}#{position}"


def given_once(what: str, one: T | None, other: T | None) -> T | None:
    """Return an option that two places may give; raises InvalidInput where they disagree."""
    if one is not None and other is not None and one != other:
        raise InvalidInput(f"{what} is given twice with different values; give it once")
    return other if one is None else one


async def write_options(
    ack: AckQuery = None,
    idempotency_key: KeyHeader = None,
    write_id: Annotated[
        Annotated[str, ID_FORM] | None,
        Header(
            alias=WRITE_ID,
            description="A UUIDv7 that the client made for this call, and repeats with it.",
        ),
    ] = None,
) -> WriteOptions:
    """Read the options of one write."""
    return WriteOptions(ack, idempotency_key, made_id(write_id))


Writing = Annotated[WriteOptions, Depends(write_options)]


async def unkeyed_writer(caller: Writer, request: Request) -> Caller:
    """Return the caller of a verb without idempotency keys; raises InvalidFields for one.

    A key that is not looked at would promise what nobody keeps: that another body is refused.
    """
    if _KEY in request.headers:
        raise InvalidFields([{
            "field": _KEY,
            "problem": "this operation takes no idempotency key and is safe to repeat without; "
            "leave the header out",
        }])  # fmt: skip
    return caller


UnkeyedWriter = Annotated[Caller, Depends(unkeyed_writer)]
