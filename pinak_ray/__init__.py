"""The memory plane for agent swarms on Ray."""
