"""Nudges: is the intent risky, what failed like it (failures), what does it contradict?"""

from pinak_ray.nudges.nudger import Nudger

__all__ = ["Nudger"]
