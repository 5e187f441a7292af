"""What all bodies share, and the fields that many of them have."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model
from pydantic.fields import FieldInfo

from pinak_ray.records.forms import ID_FORM, NAME_FORM, text_form
from pinak_ray.records.limits import MAX_CONTENT_BYTES, MAX_TTL_S, MIN_TTL_S
from pinak_ray.records.memory.memories import MAX_SOURCE_BYTES, Ack, Layer, Outcome
from pinak_ray.records.memory.recall import MAX_QUERY_BYTES
from pinak_ray.records.state.owners import EntryKind

__all__ = [
    "AckField",
    "Answer",
    "Body",
    "Details",
    "IdField",
    "KeyField",
    "KindField",
    "LayerField",
    "Moment",
    "NameField",
    "OutcomeField",
    "QuestionField",
    "SourceField",
    "TextField",
    "TtlField",
    "VectorField",
    "body_with",
]

B = TypeVar("B", bound="Body")


class Body(BaseModel):
    """What a caller sends: no field beyond the known ones, and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def body_with(
    base: type[B], name: str, says: str | None, fields: Mapping[str, FieldInfo], **further: Any
) -> type[B]:
    """Return a body that also takes these fields, which check themselves: it need not be strict."""
    named: dict[str, Any] = {name: (field.annotation, field) for name, field in fields.items()}
    return create_model(
        name, __base__=base, __doc__=says, __cls_kwargs__={"strict": False}, **named, **further
    )


class Answer(BaseModel):
    """What a caller gets; these classes describe it, the answers are written without them."""


# JSON has no enums, so strictness would refuse their names.
LayerField = Annotated[Layer, Field(strict=False)]
OutcomeField = Annotated[Outcome, Field(strict=False)]
KindField = Annotated[EntryKind, Field(strict=False)]
AckField = Annotated[
    Ack,
    Field(
        strict=False,
        description="`accepted` (in the actor's memory), `durable` (committed, keyword-searchable; "
        "the default) or `searchable` (vectors indexed too).",
    ),
]
NameField = Annotated[str, NAME_FORM]
IdField = Annotated[str, ID_FORM]
TextField = Annotated[str, text_form(MAX_CONTENT_BYTES)]
QuestionField = Annotated[str, text_form(MAX_QUERY_BYTES)]
SourceField = Annotated[str, text_form(MAX_SOURCE_BYTES)]
KeyField = Annotated[
    str,
    WithJsonSchema(
        {
            **(NAME_FORM.json_schema or {}),
            "description": "Names this write: repeating it returns the first one's receipt.",
        }
    ),
]
TtlField = Annotated[
    float,
    Field(ge=MIN_TTL_S, le=MAX_TTL_S, description="Seconds until it expires; never if absent."),
]
VectorField = Annotated[
    list[float],
    Field(description="Your own vector, of the model's dimension; absent, the text is embedded."),
]
# A text here: `records` parses it, and refuses a time without a zone in the same words everywhere.
Moment = Annotated[
    str,
    Field(
        json_schema_extra={"format": "date-time"},
        description="ISO 8601 with a time zone.",
        examples=["2026-01-31T12:00:00+00:00"],
    ),
]
Details = Annotated[
    dict[str, Any], Field(description="Anything else, as a JSON object of at most 64 KiB.")
]
