"""Answers about the service itself, and the form of every problem."""

from typing import Any

from pydantic import ConfigDict, Field

from pinak_ray.serve.v1.models.base import Answer

__all__ = [
    "CacheAnswer",
    "HealthAnswer",
    "JwksAnswer",
    "Problem",
    "ReadyAnswer",
    "ScratchpadsAnswer",
]


class Fault(Answer):
    """What is wrong with one field."""

    field: str
    problem: str


class Problem(Answer):
    """A problem document (RFC 9457); `code` is stable and meant for programs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:pinak-ray:problem:invalid_input",
                    "title": "Invalid input",
                    "status": 422,
                    "detail": "content is empty; give at least one visible character",
                    "code": "invalid_input",
                    "instance": "0198f3a2-7c1e-7000-8000-000000000000",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str = Field(description="The request's id, as in `X-Request-Id` and in the logs.")
    errors: list[Fault] | None = Field(None, description="With `invalid_input`: field by field.")
    key: str | None = Field(None, description="With `version_conflict`: of what.")
    expected: int | None = Field(None, description="With `version_conflict`: the caller's version.")
    current: int | None = Field(None, description="With `version_conflict`: the one it is at.")
    parts: dict[str, str] | None = Field(None, description="With `not_ready`: what fails, and how.")


class HealthAnswer(Answer):
    """The process answers."""

    status: str


class ReadyAnswer(Answer):
    """Every part of the stack answers."""

    status: str
    parts: dict[str, str]


class CacheAnswer(Answer):
    """The cache of recall of one process, counted since it began or changed its model."""

    process: int = Field(description="The id of the gateway that answered.")
    enabled: bool
    ttl_s: float = Field(description="An answer is kept for so long at most, give or take a tenth.")
    capacity_bytes: int
    entries: int
    bytes: int
    hit_rate: float = Field(description="Lookups that caused no search of their own / lookups.")
    lookups: dict[str, int] = Field(
        description="By what answered: an `equal` query, a `near` one (the same question in other "
        "form), a search `shared` with another caller, or a `miss`: a search."
    )
    drops: dict[str, int] = Field(
        description="`evicted` for room, `stale` after a write, `expired` in time."
    )


class ScratchpadsAnswer(Answer):
    """The scratchpads of one namespace, as they are committed."""

    scratchpads: int = Field(description="Agents that have anything on theirs.")
    active: int = Field(description="Those with an entry made within the last day.")
    entries: int
    kinds: dict[str, int] = Field(description="How many entries there are of each kind.")
    bytes: int = Field(description="Of contents and details.")
    examples_found: int = Field(description="How often `find_example` found one that is there.")
    templates: int = Field(description="Thought templates: what was distilled from trajectories.")


class JwksAnswer(Answer):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, Any]]
