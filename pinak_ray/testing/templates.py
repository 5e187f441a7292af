"""What came of runs that used templates, in a dictionary: the table of 0011."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.recall import Filters
from pinak_ray.records.memory.templates import (
    TEMPLATE_TAG,
    Outcomes,
    ReadOutcomes,
    TellOutcome,
    ToldOutcome,
)
from pinak_ray.testing.memories import LocalMemories

__all__ = ["LocalTemplates"]


@dataclass(slots=True)
class LocalTemplates:
    """The outcomes of every namespace of one twin."""

    memories: LocalMemories
    _told: dict[tuple[int, UUID], dict[str, bool]] = field(default_factory=dict)

    def tell_outcome(self, operation: TellOutcome) -> ToldOutcome:
        """Keep how a run ended; raises NotFound where there is no such template."""
        namespace_id, template = operation.owner.namespace_id, operation.template
        success, run = operation.success, operation.run
        passing = self.memories.passing(namespace_id, Filters(tags=(TEMPLATE_TAG,)))
        if template not in passing:
            raise NotFound(f"there is no template {template}")
        told = self._told.setdefault((namespace_id, template), {})
        new = run not in told
        told[run] = success
        return ToldOutcome(id=template, new=new, **_outcomes(told).record())

    def read_outcomes(self, operation: ReadOutcomes) -> tuple[Outcomes, ...]:
        """Return the outcomes of each of these templates."""
        namespace_id, templates = operation.namespace_id, operation.templates
        return tuple(_outcomes(self._told.get((namespace_id, each), {})) for each in templates)


def _outcomes(told: Mapping[str, bool]) -> Outcomes:
    return Outcomes(len(told), sum(told.values()))
