"""A number of places of which no one may take all: some are always free for a newcomer."""

from collections.abc import Hashable
from dataclasses import dataclass, field

__all__ = ["Shares"]


@dataclass(slots=True)
class Shares:
    """Whoever holds places may hold as many as are free then: alone half of all, of two each a
    third, and so on.

    A fixed share would stand empty while nobody claims it, and not be there for one more.
    """

    places: int
    taken: int = 0
    _held: dict[Hashable, int] = field(default_factory=dict)

    def take(self, whose: Hashable, places: int = 1) -> bool:
        """Take places, or say that there are not enough of them for this one."""
        held = self._held.get(whose, 0) + places
        if held > self.places - self.taken:
            return False
        self._held[whose] = held
        self.taken += places
        return True

    def give(self, whose: Hashable, places: int = 1) -> None:
        """Give places back."""
        self.taken -= places
        left = self._held[whose] - places
        if left:
            self._held[whose] = left
        else:
            del self._held[whose]
