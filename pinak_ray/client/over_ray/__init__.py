"""The wire over Ray: calls of actors, lanes, the session."""
