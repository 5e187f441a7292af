"""Types of fields: what is checked of each, in words of our own, and its form in JSON Schema."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from pinak_ray.records.forms import ID_FORM, NAME_FORM, text_form
from pinak_ray.records.limits import (
    MAX_CONTENT_BYTES,
    MAX_K,
    MAX_SEQ,
    MAX_TTL_S,
    MIN_TTL_S,
    check_id,
    check_json,
    check_labels,
    check_name,
    check_text,
)
from pinak_ray.records.memory.memories import moment
from pinak_ray.records.memory.recall import MAX_QUERY_BYTES

__all__ = [
    "Confidence",
    "Id",
    "Ids",
    "Json",
    "Labels",
    "Moment",
    "Name",
    "Question",
    "Seconds",
    "Seq",
    "Text",
    "Version",
]


def _text(value: str, info: ValidationInfo) -> str:
    return check_text(str(info.field_name), value)


def _name(value: str, info: ValidationInfo) -> str:
    return check_name(str(info.field_name), value)


def _labels(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return check_labels(str(info.field_name), value)


def _json(value: Any, info: ValidationInfo) -> Any:
    check_json(str(info.field_name), value)
    return value


def _question(value: str, info: ValidationInfo) -> str:
    return check_text(str(info.field_name), value, limit=MAX_QUERY_BYTES)


def _once(value: tuple[UUID, ...]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(value))


def _id(value: Any, info: ValidationInfo) -> UUID:
    return check_id(str(info.field_name), value)


def _moment(value: Any, info: ValidationInfo) -> datetime:
    return moment(str(info.field_name), value)


Text = Annotated[str, AfterValidator(_text), text_form(MAX_CONTENT_BYTES)]
"""What people and models read: up to 64 KiB of it."""
Name = Annotated[str, AfterValidator(_name), NAME_FORM]
"""A short name or key."""
Question = Annotated[str, AfterValidator(_question), text_form(MAX_QUERY_BYTES)]
"""What is searched for, or solved: up to 8 KiB of it."""
Id = Annotated[UUID, BeforeValidator(_id), ID_FORM]
Ids = Annotated[tuple[Id, ...], Field(max_length=MAX_K), AfterValidator(_once)]
"""Ids, each once."""
Labels = Annotated[tuple[Annotated[str, NAME_FORM], ...], AfterValidator(_labels)]
"""Short names, without repeats."""
Json = Annotated[Any, AfterValidator(_json)]
"""Any JSON value, up to 64 KiB of it."""
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=MIN_TTL_S, le=MAX_TTL_S, allow_inf_nan=False)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A time with a zone, in UTC from here on."""
Seq = Annotated[int, Field(strict=True, ge=0, le=MAX_SEQ)]
"""The number of an entry, which rises with each change of its owner."""
Version = Annotated[int, Field(ge=0, le=MAX_SEQ)]
"""A number that rises with each change."""
