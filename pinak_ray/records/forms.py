"""What is accepted, as far as JSON Schema can say it: the checks themselves are in `limits`."""

from pydantic import WithJsonSchema

from pinak_ray.records.names import MAX_NAME_BYTES

__all__ = ["ID_FORM", "ITEM_KEY_FORM", "NAME_FORM", "text_form"]

# Most of what `names` calls unseen; JSON Schema has no categories of characters.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_NAME = rf"[^\s{_UNSEEN}]([^{_UNSEEN}]*[^\s{_UNSEEN}])?$"


def _name_form(pattern: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": MAX_NAME_BYTES, "pattern": pattern}
    )


def text_form(limit: int) -> WithJsonSchema:
    """Return the form of a text of so many bytes."""
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": limit, "pattern": r"\S"})


NAME_FORM = _name_form(f"^{_NAME}")
ITEM_KEY_FORM = _name_form(rf"^(?!\$){_NAME}")
ID_FORM = WithJsonSchema({"type": "string", "format": "uuid"})
