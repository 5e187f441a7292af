"""What operations return: one class each, which callers hold and the HTTP reference describes."""

from pydantic import ConfigDict

__all__ = ["Result"]


class Result:
    """Base of the dataclasses that a caller is given; their docstrings describe the JSON too."""

    __slots__ = ()
    # Every field is in every answer, also where Python has a default for it.
    __pydantic_config__ = ConfigDict(
        use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )
