"""How strong a memory is: what it is worth, and how much of that is left since it was last used."""

import math
from typing import NamedTuple

__all__ = ["Use", "strength"]

# After three accesses a memory has gained half of what it lacked, after nine three quarters.
_HALF_GAINED = 3.0


class Use(NamedTuple):
    """What is known of one memory's use.

    `salience` is in [0, 1]; `idle_days` since it was last returned, or stored; `usefulness` the
    mean of what agents said of it, from -1 (it did not help) to 1, 0 where nobody did.
    """

    salience: float
    accesses: int = 0
    idle_days: float = 0.0
    usefulness: float = 0.0


def strength(use: Use, *, half_life_days: float) -> float:
    """Return a memory's strength in [0, 1].

    Rises with salience, accesses and usefulness, falls with each day that it is not returned. The
    half-life is that of a memory nobody ever recalled; it doubles with the first access, trebles
    with the third, and so on by the logarithm, as what is repeated is kept for longer.
    """
    gained = use.accesses / (use.accesses + _HALF_GAINED)
    worth = use.salience + (1.0 - use.salience) * gained
    if use.usefulness >= 0.0:
        worth += use.usefulness * (1.0 - worth) / 2
    else:
        worth *= 1.0 + use.usefulness / 2
    half_lives = use.idle_days / (half_life_days * (1.0 + math.log2(1.0 + use.accesses)))
    return float(min(1.0, worth * 2.0 ** -max(0.0, half_lives)))
