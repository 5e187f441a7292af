"""Tasks of a board: their tree, claims on them, progress, views."""
