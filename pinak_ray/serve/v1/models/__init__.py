"""Bodies and answers of the HTTP interface.

A body checks shapes and types; what a value may be is decided in `records`, where Python, the CLI
and the in-memory twin check it too.
"""
