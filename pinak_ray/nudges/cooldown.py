"""The cool-down: what an agent has just been told is not told again, with few exceptions.

A warning informs: who was shown a failure and goes on has decided, and the same words before each
of the next steps teach an agent to skip them. But a failure seen beside one action says nothing of
whether it was thought of before another, so strong evidence on another action is shown again.
Outside of this rule: a nudge that was acted on has had its effect, and going back to that action is
warned as if it were new; a retried request is answered as it was at first; and `repeat` asks
without a cool-down, as the hook does where a nudge stops the call: there, silence would let the
same call through at the second try.
"""

from uuid import UUID

from pinak_ray.records.memory.nudges import Strength

__all__ = ["is_quiet"]


def is_quiet(nudge: UUID, strength: Strength, shown: frozenset[UUID]) -> bool:
    """Return whether a nudge is left out, `shown` being those lately shown of the same memory."""
    return bool(shown) and (strength is not Strength.HIGH or nudge in shown)
