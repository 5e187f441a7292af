"""Answers: JSON by orjson, which writes dataclasses, times and ids; models write themselves."""

from dataclasses import fields, is_dataclass
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.state.owners import Entry, WorkingItem

__all__ = [
    "JsonAnswer",
    "entry_answer",
    "item_answer",
    "receipt_answer",
    "receipt_status",
]

# Half of what orjson nests, so that both halves of what it nests can be written.
_LEVELS = 127


class JsonAnswer(Response):
    """A JSON body."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the content as JSON bytes."""
        try:
            return orjson.dumps(content, default=_of_model)
        except orjson.JSONEncodeError:
            return orjson.dumps(_in_pieces(content, _LEVELS))


def _in_pieces(value: Any, levels: int) -> Any:
    """Return a value whose lower levels are written already.

    What was stored before its depth had a limit may nest as deep as orjson writes, and an answer
    adds levels of its own.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in fields(value)}
    elif isinstance(value, BaseModel):
        value = dict(value)
    if not levels and isinstance(value, dict | list | tuple):
        return orjson.Fragment(orjson.dumps(value, default=_of_model))
    if isinstance(value, dict):
        return {name: _in_pieces(one, levels - 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_in_pieces(one, levels - 1) for one in value]
    return value


def _of_model(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"no JSON for {type(value).__name__}")


def receipt_status(receipt: Receipt) -> int:
    """Return 201 for a write that is new, 200 for a retry that met its own earlier write."""
    return 201 if receipt.new else 200


def receipt_answer(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt by its field names."""
    return receipt._asdict()


def item_answer(item: WorkingItem) -> dict[str, Any]:
    """Return a working item; its value is passed through as the JSON that it is."""
    return {
        "key": item.key,
        "value": orjson.Fragment(item.encoded),
        "version": item.version,
        "updated_at": item.updated_at,
        "expires_at": item.expires_at,
    }


def entry_answer(entry: Entry) -> dict[str, Any]:
    """Return an entry; its details are passed through as the JSON that they are."""
    return {
        "id": entry.id,
        "seq": entry.seq,
        "kind": entry.kind,
        "author": entry.author,
        "key": entry.key,
        "content": entry.content,
        "details": orjson.Fragment(entry.encoded_details),
        "version": entry.version,
        "created_at": entry.created_at,
        "expires_at": entry.expires_at,
    }
