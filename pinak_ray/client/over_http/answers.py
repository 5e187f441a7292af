"""From the gateway's JSON back to results, by the type that the operation declares."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import WatchPage
from pinak_ray.records.state.owners import Entry, EntryKind, WorkingItem
from pinak_ray.records.wiring import Operation

__all__ = ["entries", "items", "receipt", "result_of", "watch_page"]

# The gateway does not show which write made a version; only hosts need it.
_UNKNOWN_OPERATION = UUID(int=0)

Json = Mapping[str, Any]


@cache
def result_of(operation: type[Operation[Any]]) -> Callable[[Json], Any]:
    """Return what makes an operation's answer its result."""
    read, under = TypeAdapter(operation.wiring.answer).validate_python, operation.wiring.under
    return read if under is None else lambda answer: read(answer[under])


def receipt(answer: Json) -> Receipt:
    """Return the receipt of a write."""
    return Receipt(UUID(answer["id"]), Ack(answer["ack"]), answer["new"], answer["version"])


def items(answer: Json) -> tuple[WorkingItem, ...]:
    """Return working items, whose values stay as encoded."""
    return tuple(
        WorkingItem(
            item["key"],
            orjson.dumps(item["value"]),
            item["version"],
            datetime.fromisoformat(item["updated_at"]),
            _moment(item["expires_at"]),
            _UNKNOWN_OPERATION,
        )
        for item in answer["items"]
    )


def entries(answer: Json) -> tuple[Entry, ...]:
    """Return entries of a board or scratchpad, whose details stay as encoded."""
    return tuple(
        Entry(
            UUID(entry["id"]),
            entry["seq"],
            EntryKind(entry["kind"]),
            entry["author"],
            entry["key"],
            entry["content"],
            orjson.dumps(entry["details"]),
            entry["version"],
            datetime.fromisoformat(entry["created_at"]),
            _moment(entry["expires_at"]),
            _UNKNOWN_OPERATION,
        )
        for entry in answer["entries"]
    )


def watch_page(answer: Json) -> WatchPage:
    """Return the next page of a watch."""
    return WatchPage(entries(answer), answer["cursor"])


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
