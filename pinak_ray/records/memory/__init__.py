"""What is said of memories: written, found, linked, graded, promoted."""
