"""Nudges: is the intent risky, what failed like it (failures), what does it contradict?"""
