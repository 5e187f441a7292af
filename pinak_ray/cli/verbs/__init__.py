"""The commands that are verbs of a swarm."""
