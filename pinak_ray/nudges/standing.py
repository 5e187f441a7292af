"""Standing nudges: who is told of a failure that is new, and what its watch stream says."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from pinak_ray.embedding import Knows
from pinak_ray.nudges.evidence import scored
from pinak_ray.nudges.weighing import weigh
from pinak_ray.records.memory.nudges import Intent, Nudge
from pinak_ray.records.memory.rows import Row
from pinak_ray.records.operations import Intend, Post
from pinak_ray.records.state.owners import EntryKind, Owner, Space

__all__ = ["StandingNudge", "standing_nudges"]

_AUTHOR = "pinak-ray"
# Until the next day, for whoever was not watching; then it would only fill the agent's log.
_TTL_S = 86_400.0


class StandingNudge(NamedTuple):
    """A nudge, and the intent that it answers."""

    intend: Intend
    nudge: Nudge

    def post(self) -> Post:
        """Return what puts it on the agent's log; the same nudge is the same entry, once."""
        nudge, hit = self.nudge, self.nudge.evidence[0]
        details = {
            "kind": nudge.kind,
            "strength": nudge.strength,
            "reason": nudge.reason,
            "score": nudge.score,
            "evidence": [str(each.id) for each in nudge.evidence],
            "agent": hit.agent,
            "intent": self.intend.intent.text,
            "nudge_id": str(nudge.id),
        }
        return Post(
            self.intend.owner,
            nudge.id,
            EntryKind.NUDGE,
            _AUTHOR,
            nudge.message,
            orjson.dumps(details),
            ttl_s=_TTL_S,
        )


def standing_nudges(namespace_id: int, rows: Sequence[Row], knows: Knows) -> list[StandingNudge]:
    """Return the nudges that new failures are worth, at most the strongest one for each agent.

    A row is a failure as evidence, with the `intent` of the agent that `intends` it and that
    intent's `safe_similarity`. Gate, evidence and cool-down are those of `intend`.
    """
    best: dict[str, StandingNudge] = {}
    for row in rows:
        owner = Owner(namespace_id, Space.AGENT, row["intends"])
        intend = Intend(owner, Intent.decoded(row["intent"]))
        evidence = scored([row], intend.intent.search_text, knows)
        for nudge in weigh(intend, evidence, safe_similarity=row["safe_similarity"]):
            held = best.get(owner.name)
            if held is None or nudge.score > held.nudge.score:
                best[owner.name] = StandingNudge(intend, nudge)
    return list(best.values())
