"""Links between memories: the verbs that make, remove and follow them."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from pinak_ray.client.handles.handle import Handle
from pinak_ray.client.verbs import verb
from pinak_ray.records.memory.links import LinkKind, change_link, new_related
from pinak_ray.records.memory.memories import Ack, ack_level
from pinak_ray.records.operations import ChangeLink, ReadRelated

__all__ = ["LinkVerbs"]


@dataclass(frozen=True, slots=True, repr=False)
class LinkVerbs(Handle):
    """What an agent says of how memories belong together."""

    @verb
    def link(
        self,
        from_id: UUID | str,
        to_id: UUID | str,
        kind: LinkKind | str = LinkKind.REFERS_TO,
        *,
        strength: float = 1.0,
        ack: Ack | str = Ack.DURABLE,
    ) -> ChangeLink:
        """Link one memory to another; returns a Receipt once the link is committed.

        Read it as a sentence: `link(outage, deploy, "caused_by")`. Between two memories there is
        one link of a kind: again it is not `new`, another strength (0.001 to 1) replaces the old.
        Raises InvalidInput (also for a link to itself), and NotFound where this namespace has not
        both memories.
        """
        change = change_link(self.swarm.namespace_id, self.name, from_id, to_id, kind, strength)
        return ChangeLink(change, ack_level(ack))

    @verb
    def unlink(
        self,
        from_id: UUID | str,
        to_id: UUID | str,
        kind: LinkKind | str = LinkKind.REFERS_TO,
        *,
        ack: Ack | str = Ack.DURABLE,
    ) -> ChangeLink:
        """Remove a link; returns a Receipt, which is not `new` if there was none."""
        change = change_link(self.swarm.namespace_id, self.name, from_id, to_id, kind, None)
        return ChangeLink(change, ack_level(ack))

    @verb
    def related(
        self,
        memory_id: UUID | str,
        *,
        depth: int = 1,
        min_strength: float = 0.0,
        kinds: Iterable[LinkKind | str] = (),
        k: int = 20,
    ) -> ReadRelated:
        """Find what links lead to from a memory, both ways; returns a tuple of Related.

        Strongest first: a path is as strong as the product of its links. At most `depth` (1 to 4)
        links away, along links of `kinds` only if any are named. Raises NotFound.
        """
        request = new_related(memory_id, depth=depth, min_strength=min_strength, kinds=kinds, k=k)
        return ReadRelated(self.swarm.namespace_id, request)
