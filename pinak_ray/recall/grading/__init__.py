"""Grades of what was recalled, by rule."""
