"""What the verbs of a board build on: commands and views of this one board."""

from dataclasses import dataclass
from typing import Any

from pinak_ray.client.handles.checks import execute_operation
from pinak_ray.client.handles.handle import Handle
from pinak_ray.records.commands import Command, View, checked_model
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import Execute, Query
from pinak_ray.records.state.owners import Owner, Space

__all__ = ["BoardBase"]


@dataclass(frozen=True, slots=True, repr=False)
class BoardBase(Handle):
    """One board. `BoardHandle` is made of parts on this base, one part an idea."""

    @property
    def owner(self) -> Owner:
        """The board's address."""
        return Owner(self.swarm.namespace_id, Space.BOARD, self.name)

    def _execute(
        self,
        command: type[Command],
        author: str,
        idempotency_key: str | None,
        ack: Ack | str,
        **fields: Any,
    ) -> Execute[Any]:
        return execute_operation(self.owner, author, command, idempotency_key, ack, **fields)

    def _query(self, view: type[View], **fields: Any) -> Query[Any]:
        return Query(self.owner, checked_model(view, **fields))
