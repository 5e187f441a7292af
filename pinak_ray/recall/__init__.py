"""Hybrid search: find candidates, score them by several signals, fuse, explain."""
