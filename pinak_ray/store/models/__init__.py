"""Embedding models: registered, serving, tried on recorded queries."""
