"""Answers: JSON by orjson, which writes dataclasses, times and ids; models write themselves."""

from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from pinak_ray.records.context import Context
from pinak_ray.records.memories import Receipt
from pinak_ray.records.revisions import Version
from pinak_ray.records.state import Entry, WorkingItem

__all__ = [
    "JsonAnswer",
    "context_answer",
    "entry_answer",
    "item_answer",
    "receipt_answer",
    "receipt_status",
    "version_answer",
]


class JsonAnswer(Response):
    """A JSON body."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the content as JSON bytes."""
        return orjson.dumps(content, default=_of_model)


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


def version_answer(version: Version) -> dict[str, Any]:
    """Return a stored memory; its details are passed through as the JSON that they are."""
    memory, superseded_by, superseded_at = version
    answer = memory._asdict()
    del answer["namespace_id"], answer["vector"], answer["write_key"]
    return {
        **answer,
        "details": orjson.Fragment(memory.details),
        "superseded_by": superseded_by,
        "superseded_at": superseded_at,
    }


def item_answer(item: WorkingItem) -> dict[str, Any]:
    """Return a working item; its value is passed through as the JSON that it is."""
    return {
        "key": item.key,
        "value": orjson.Fragment(item.encoded),
        "version": item.version,
        "updated_at": item.updated_at,
        "expires_at": item.expires_at,
    }


def context_answer(context: Context) -> dict[str, Any]:
    """Return a context and its sections by their field names."""
    return {**context._asdict(), "sections": [one._asdict() for one in context.sections]}


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
