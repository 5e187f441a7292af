"""Memories and their links: written, found, read."""
