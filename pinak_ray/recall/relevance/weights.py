"""The weights of relevance, as `python -m benchmarks.learning.relevance` fitted them."""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pinak_ray.recall.relevance.features import FEATURES

__all__ = ["Weights", "load_weights"]


class Weights(NamedTuple):
    """One number a feature: where meanings were compared, and where words alone were."""

    meaning: npt.NDArray[np.float64]
    words: npt.NDArray[np.float64]


@cache
def load_weights() -> Weights:
    """Read the weights that the package brings."""
    read = json.loads((files(__package__) / "weights.json").read_text(encoding="utf-8"))
    return Weights(*(np.array([read[part][name] for name in FEATURES]) for part in Weights._fields))
