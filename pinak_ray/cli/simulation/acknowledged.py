"""The last notes that a sample of the agents was told are durable; bounded, for the final check."""

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Acknowledged", "Noted"]

_SAMPLED_AGENTS = 1_000


class Noted(NamedTuple):
    """One working item as its agent knows it."""

    version: int
    text: str


@dataclass(slots=True)
class Acknowledged:
    """By agent and key, the newest acknowledged note of every n-th agent."""

    agents: int
    """How many agents there are; about a thousand of them are followed."""
    notes: dict[tuple[int, str], Noted] = field(default_factory=dict)

    def follows(self, agent: int) -> bool:
        """Tell whether this agent is in the sample."""
        return agent % max(1, self.agents // _SAMPLED_AGENTS) == 0

    def add(self, agent: int, key: str, noted: Noted) -> None:
        """Keep the note if the agent is followed and no newer version of it was acknowledged.

        Receipts of one key may come back in another order than its versions.
        """
        if not self.follows(agent):
            return
        known = self.notes.get((agent, key))
        if known is None or known.version < noted.version:
            self.notes[agent, key] = noted
