"""The handle of a scratchpad."""
