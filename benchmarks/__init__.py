"""Benchmarks: ours and a reference in the same run, one JSON object on standard output.

Each `python -m benchmarks.NAME --json` starts what it needs in a directory of its own, and removes
it afterwards; progress goes to standard error.
"""
