"""ScratchpadBase: what all verbs of a scratchpad share: its agent, who is its only author."""

from dataclasses import dataclass
from typing import Any

from pinak_ray.client.handles.checks import execute_operation
from pinak_ray.client.handles.handle import Handle
from pinak_ray.records.commands import Command, View, checked_model
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import Execute, Query
from pinak_ray.records.state.owners import Owner, Space

__all__ = ["ScratchpadBase"]


@dataclass(frozen=True, slots=True, repr=False)
class ScratchpadBase(Handle):
    """One agent's scratchpad, without its verbs."""

    @property
    def owner(self) -> Owner:
        """The scratchpad's address."""
        return Owner(self.swarm.namespace_id, Space.AGENT, self.name)

    def _execute(
        self, command: type[Command], idempotency_key: str | None, ack: Ack | str, **fields: Any
    ) -> Execute[Any]:
        return execute_operation(self.owner, self.name, command, idempotency_key, ack, **fields)

    def _query(self, view: type[View], **fields: Any) -> Query[Any]:
        return Query(self.owner, checked_model(view, **fields))
