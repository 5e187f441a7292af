"""Nudges: is the intent risky (gate), and what failed like this (failures)?"""

from pinak_ray.nudges.nudger import Nudger

__all__ = ["Nudger"]
