"""What becomes of memories: revised, expired, archived, curated."""
