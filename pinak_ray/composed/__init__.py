"""Verbs that take several operations."""
