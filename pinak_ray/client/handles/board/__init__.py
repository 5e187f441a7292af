"""The handle of a board."""
