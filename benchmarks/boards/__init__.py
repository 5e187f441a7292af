"""Watchers of one board: how fast they hear, and that they miss nothing."""
