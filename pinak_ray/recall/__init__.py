"""Hybrid search, one step a file."""
