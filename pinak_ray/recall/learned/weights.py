"""The learned weights: a small file beside this one, with where they come from."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import orjson

from pinak_ray.recall.learned.features import FEATURES

__all__ = ["WEIGHTS_FILE", "learned_weights"]

WEIGHTS_FILE = files(__package__) / "weights.json"
"""`weights` by feature, and `trained`: the command, the data and how well they did."""


@cache
def learned_weights() -> Mapping[str, float]:
    """Return the weight of each feature, in the order of `FEATURES`."""
    weights = orjson.loads(WEIGHTS_FILE.read_bytes())["weights"]
    return MappingProxyType({name: float(weights[name]) for name in FEATURES})
