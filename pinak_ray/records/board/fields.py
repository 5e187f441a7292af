"""A field that several commands of boards have."""

from typing import Annotated, Any

from pydantic import AfterValidator

from pinak_ray.records.limits import check_details

__all__ = ["JsonObject"]


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    check_details(value)
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_checked)]
"""Anything, as a JSON object of at most 64 KiB."""
