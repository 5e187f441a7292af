"""Answers that are kept: the same question, and questions near it."""
