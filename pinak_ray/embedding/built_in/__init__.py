"""Models that are built once from a pinned wheel, and run in this process."""
