"""Hybrid search: find candidates, score them by several signals, fuse, explain."""

from pinak_ray.recall.recaller import Recaller
from pinak_ray.recall.recipes import RECIPES, Fusion, Recipe, recipe_named

__all__ = ["RECIPES", "Fusion", "Recaller", "Recipe", "recipe_named"]
