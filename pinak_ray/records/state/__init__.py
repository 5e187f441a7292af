"""What hosts hold of owners, and how it is written and carried."""
