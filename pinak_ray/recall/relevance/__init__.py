"""Relevance: how likely a hit answers, the same in every corpus."""
