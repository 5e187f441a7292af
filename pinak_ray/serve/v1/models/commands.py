"""Bodies of commands: what the command takes, and what every write takes beside it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import Field

from pinak_ray.agents import rules  # noqa: F401 - makes all commands known
from pinak_ray.records.commands import COMMANDS, Command
from pinak_ray.records.state.owners import Space
from pinak_ray.serve.v1.models.base import AckField, Body, KeyField, NameField, body_with

__all__ = ["COMMAND_BODIES", "CommandBody"]


class CommandBody(Body):
    """The part of a command's body that says nothing of the command."""

    idempotency_key: KeyField | None = None
    ack: AckField | None = None

    def fields(self) -> dict[str, Any]:
        """Return the command's own fields, those that were given."""
        return {
            name: getattr(self, name)
            for name in self.model_fields_set
            if name not in _BoardCommandBody.model_fields
        }


class _BoardCommandBody(CommandBody):
    author: NameField | None = Field(
        None, description="Who does it; the token's subject if absent."
    )


def _body_of(command: type[Command]) -> type[CommandBody]:
    base = _BoardCommandBody if command.space is Space.BOARD else CommandBody
    return body_with(base, f"{command.__name__}Body", command.__doc__, command.model_fields)


COMMAND_BODIES: Mapping[type[Command], type[CommandBody]] = MappingProxyType(
    {command: _body_of(command) for command in COMMANDS.values()}
)
"""The body of each command."""
