"""Mirrors of the namespaces in use: words, windows and vectors where recalls are answered."""
