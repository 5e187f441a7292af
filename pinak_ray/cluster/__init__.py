"""Composition root: start, stop and heal a whole stack; the command line."""
