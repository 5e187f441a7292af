"""Recall at any size: what each idea of `python -m benchmarks.search` is, a file each."""
