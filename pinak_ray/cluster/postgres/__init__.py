"""The embedded PostgreSQL, and the check of one's own."""
