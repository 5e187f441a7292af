"""The Indexer's lanes."""
