"""ScratchpadHandle: one agent's private record of the task at hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pinak_ray.client.handles.checks import post_operation, read_operation
from pinak_ray.client.handles.handle import Handle
from pinak_ray.client.verbs import verb
from pinak_ray.records.memories import Ack
from pinak_ray.records.operations import (
    Post,
    Read,
)
from pinak_ray.records.state import EntryKind, Owner, Space

__all__ = ["ScratchpadHandle"]


@dataclass(frozen=True, slots=True, repr=False)
class ScratchpadHandle(Handle):
    """One agent's scratchpad; only handles of that agent reach it."""

    @verb
    def post(
        self,
        content: str,
        *,
        kind: EntryKind | str = EntryKind.OBSERVATION,
        details: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Post:
        """Record one entry; returns a Receipt."""
        owner = Owner(self.swarm.namespace_id, Space.AGENT, self.name)
        return post_operation(owner, self.name, content, kind, details, idempotency_key, ack)

    @verb
    def read(
        self, *, after: int = 0, kinds: Iterable[EntryKind | str] = (), limit: int = 100
    ) -> Read:
        """Read entries past a sequence number, oldest first; returns a tuple of Entry."""
        owner = Owner(self.swarm.namespace_id, Space.AGENT, self.name)
        return read_operation(owner, after, kinds, limit)
