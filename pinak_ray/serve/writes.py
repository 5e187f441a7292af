"""What every write takes beside its body: the ack level and the idempotency key."""

from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Query

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memories import Ack
from pinak_ray.records.write_keys import WRITE_ID, made_id

__all__ = ["WriteOptions", "Writing"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The options of the query and the headers; a body may give the same ones."""

    ack: Ack | None
    idempotency_key: str | None
    made: UUID | None = None
    """The id that the client made for this call."""

    def ack_with(self, body: Ack | None) -> Ack:
        """Return the ack level asked for in either place; `durable` where none was."""
        return _either("ack", self.ack, body) or Ack.DURABLE

    def key_with(self, body: str | None) -> str | None:
        """Return the idempotency key given in either place."""
        return _either("idempotency_key", self.idempotency_key, body)

    def key_at(self, position: int, body: str | None) -> str | None:
        """Return the key of one item in a batch: its own, or the batch's with its position."""
        if body is not None or self.idempotency_key is None:
            return body
        return f"{self.idempotency_key}#{position}"


def _either(what: str, one: T | None, other: T | None) -> T | None:
    if one is not None and other is not None and one != other:
        raise InvalidInput(f"{what} is given twice with different values; give it once")
    return other if one is None else one


async def write_options(
    ack: Annotated[
        Ack | None,
        Query(description="How far the write must have come; `durable` unless the body says."),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Names this write: repeating it returns the first one's receipt.",
        ),
    ] = None,
    write_id: Annotated[
        str | None,
        Header(
            alias=WRITE_ID,
            description="A UUIDv7 that the client made for this call, and repeats with it.",
        ),
    ] = None,
) -> WriteOptions:
    """Read the options of one write."""
    return WriteOptions(ack, idempotency_key, made_id(write_id))


Writing = Annotated[WriteOptions, Depends(write_options)]
