"""The hosts' memory and active agents over time, as the hosts themselves say."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import ray

from pinak_ray.records.topology import RAY_NAMESPACE

__all__ = ["HostReading", "Hosts"]

# A busy host answers late; then the picture has a gap, and the simulation goes on.
_ASK_TIMEOUT_S = 5.0


class HostReading(NamedTuple):
    """One host at one moment."""

    rss_bytes: int
    active: int
    """How many owners (agents and boards) it holds in memory."""


@dataclass(slots=True)
class Hosts:
    """The last reading of each host in each interval; as many as there are intervals."""

    names: tuple[str, ...]
    readings: dict[int, dict[str, HostReading]] = field(default_factory=dict)

    def read(self, interval: int) -> dict[str, HostReading]:
        """Ask every host; those that do not answer in time are missing."""
        asked: dict[str, Any] = {}
        for name in self.names:
            try:
                asked[name] = ray.get_actor(name, namespace=RAY_NAMESPACE).ping.remote()
            except ValueError:
                continue  # removed, and not made anew yet
        if asked:
            ray.wait(list(asked.values()), num_returns=len(asked), timeout=_ASK_TIMEOUT_S)
        answers = {name: _answer(ref) for name, ref in asked.items()}
        found = {name: one for name, one in answers.items() if one is not None}
        self.readings.setdefault(interval, {}).update(found)
        return found

    @property
    def peak_bytes(self) -> int:
        """The most that all hosts together held at one moment."""
        return max(map(_total_bytes, self.readings.values()), default=0)

    @property
    def most_active(self) -> int:
        """The most agents and boards that were active at one moment."""
        return max(map(_total_active, self.readings.values()), default=0)


def _answer(ref: Any) -> HostReading | None:
    try:
        said = ray.get(ref, timeout=0)
    except ray.exceptions.RayError:
        return None
    return HostReading(said["rss_bytes"], said["active"])


def _total_bytes(moment: dict[str, HostReading]) -> int:
    return sum(one.rss_bytes for one in moment.values())


def _total_active(moment: dict[str, HostReading]) -> int:
    return sum(one.active for one in moment.values())
