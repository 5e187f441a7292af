"""Copies of the namespaces in use: their words, windows and vectors, where recalls are answered."""
