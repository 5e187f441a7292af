"""Vectors as tables, segments and in process."""
