"""Embedders that are asked over a network."""
