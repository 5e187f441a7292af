"""What was said of a memory's nudges, as the weight of the memory in later ones.

Each speaker has one voice, the mean of its verdicts on that memory (useful and acted on +1, not
useful -1), however often it speaks and for whichever agents: over HTTP a speaker is a token's
subject, over Ray the agent. With n voices of sum u the usefulness is r = u / (n + 1), in (-1, 1): a
mean smoothed towards "nothing known" by one voice that says neither. A useful memory weighs up to a
tenth more, 1 + 0.1 r; a useless one loses quickly, 1 - 1.25 r^2: one voice takes three tenths, two
more than half, three of three silence the strongest evidence there is (1.4 * 0.30 lies below the
floor of 0.45). One voice alone lowers a warning and silences none, however weak its evidence is.
"""

__all__ = ["SILENCING_VOICES", "explain", "weight"]

SILENCING_VOICES = 2
"""How many must have spoken before what they said keeps a warning from being given at all."""

_RISE = 0.1
_FALL = 1.25


def weight(usefulness: float, agents: int) -> float:
    """Return the factor of a memory's score, in [0, 1.1]; 1 where nobody has said anything.

    `usefulness` is the sum of the voices of so many `agents`, each in [-1, 1].
    """
    r = usefulness / (agents + 1)
    return 1 + _RISE * r if r >= 0 else max(1 - _FALL * r * r, 0.0)


def explain(usefulness: float, agents: int) -> str:
    """Return the part of a nudge's reason that tells of feedback; "" without any."""
    if not agents:
        return ""
    said = f"{agents} agent{'s' if agents > 1 else ''}, {usefulness:+.1f} in sum"
    return f", weighed {weight(usefulness, agents):.2f} by the feedback of {said}"
