"""ScratchpadHandle: one agent's private record of the task at hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pinak_ray.client.handles.checks import post_operation, read_operation
from pinak_ray.client.handles.learning import ScratchpadLearning
from pinak_ray.client.handles.scratchpad.entities import EntityVerbs
from pinak_ray.client.handles.scratchpad.parts import PartVerbs
from pinak_ray.client.handles.scratchpad.thoughts import ThoughtVerbs
from pinak_ray.client.verbs import verb
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import (
    Post,
    Query,
    Read,
)
from pinak_ray.records.scratchpad.quality import Quality, QualityAnswer
from pinak_ray.records.state.owners import EntryKind

__all__ = ["ScratchpadHandle"]


@dataclass(frozen=True, slots=True, repr=False)
class ScratchpadHandle(PartVerbs, ThoughtVerbs, EntityVerbs, ScratchpadLearning):
    """One agent's scratchpad; only handles of that agent reach it.

    Example::

        scratchpad = swarm.agent("deployer").scratchpad
        question = await scratchpad.ask("how long does migration 42 lock orders?")
        await scratchpad.observe("orders has 40 million rows", question=question.id)
        await scratchpad.answer(question.id, "about a minute")
        entries = await scratchpad.read()
    """

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
        """Record one entry with details of your own; returns a Receipt."""
        return post_operation(self.owner, self.name, content, kind, details, idempotency_key, ack)

    @verb
    def read(
        self, *, after: int = 0, kinds: Iterable[EntryKind | str] = (), limit: int = 100
    ) -> Read:
        """Read entries past a sequence number, oldest first; returns a tuple of Entry.

        At most `limit` of them, fewer where they would be more than 4 MiB: read on past the last
        one's `seq` until nothing comes.
        """
        return read_operation(self.owner, after, kinds, limit)

    @verb
    def quality(self, *, weights: Mapping[str, float] | None = None) -> Query[QualityAnswer]:
        """Judge the work: evidence, reasoning and coverage, and what would make it better.

        `weights` of these names, .4, .4 and .2 unless told, are brought to a sum of 1.
        """
        return self._query(Quality, **(weights or {}))
