"""What agents were shown and what they said of it, in dictionaries: the tables of 0006."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.memory.nudges import Nudge, Verdict
from pinak_ray.records.operations import Feedback, Intend
from pinak_ray.testing.memories import LocalMemories

__all__ = ["LocalNudges"]


_Key: TypeAlias = tuple[str, str, UUID]
"""Whose voice, for which agent, of which nudge or memory."""


class _Shown(NamedTuple):
    agent: str
    memory_id: UUID
    operation_id: UUID | None
    at: datetime


class _Said(NamedTuple):
    verdict: Verdict
    at: datetime


@dataclass(slots=True)
class LocalNudges:
    """The nudges of every namespace of one twin."""

    memories: LocalMemories
    clock: Callable[[], datetime]
    cooldown: timedelta = timedelta(minutes=10)
    _shown: dict[tuple[int, UUID], _Shown] = field(default_factory=dict)
    _said: dict[tuple[int, UUID], dict[_Key, _Said]] = field(default_factory=dict)

    def record(self, intend: Intend, nudges: tuple[Nudge, ...]) -> None:
        """Record what this request shows."""
        namespace_id, agent = intend.owner.namespace_id, intend.owner.name
        for nudge in nudges:
            shown = _Shown(agent, nudge.evidence[0].id, intend.id, self.clock())
            self._shown[namespace_id, nudge.id] = shown

    def feedback(self, feedback: Feedback) -> Receipt:
        """Keep what an agent said; raises NotFound where no nudge and no memory has the id."""
        (namespace_id, _, agent), subject = feedback.owner, feedback.subject
        who = feedback.speaker, agent
        shown = self._shown.get((namespace_id, subject))
        memory_id = subject if shown is None else shown.memory_id
        if not self.memories.has(namespace_id, memory_id):
            raise NotFound(f"no nudge and no memory has the id {subject}")
        said = self._said.setdefault((namespace_id, memory_id), {})
        new = (*who, subject) not in said
        said[*who, subject] = _Said(feedback.verdict, self.clock())
        return Receipt(subject, Ack.DURABLE, new)

    def known_of(self, intend: Intend, memory_id: UUID) -> Mapping[str, Any]:
        """Return the columns that tell what was said of a memory, and shown to who intends."""
        said = self._said.get((intend.owner.namespace_id, memory_id), {})
        signs: dict[str, list[int]] = defaultdict(list)
        for (voice, _, _), one in said.items():
            signs[voice].append(-1 if one.verdict is Verdict.NOT_USEFUL else 1)
        return {
            "usefulness": float(sum(map(fmean, signs.values()))),
            "agents": len(signs),
            "shown": [] if intend.repeat else self._lately(intend, memory_id, said),
        }

    def _lately(self, intend: Intend, memory_id: UUID, said: Mapping[_Key, _Said]) -> list[UUID]:
        agent = intend.owner.name

        def acted_on(id_: UUID, at: datetime) -> bool:
            return any(
                who == agent
                and subject in (id_, memory_id)
                and one.verdict is Verdict.ACTED_ON
                and one.at >= at
                for (_, who, subject), one in said.items()
            )

        return [
            id_
            for (namespace_id, id_), shown in self._shown.items()
            if (namespace_id, shown.agent) == (intend.owner.namespace_id, agent)
            and shown.memory_id == memory_id
            and shown.at > self.clock() - self.cooldown
            and (intend.id is None or shown.operation_id != intend.id)
            and not acted_on(id_, shown.at)
        ]
