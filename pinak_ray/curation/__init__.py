"""Curation: how strong a memory is, which ones say the same, and a pass over a namespace."""
