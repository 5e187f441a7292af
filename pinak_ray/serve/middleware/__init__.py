"""The rings around every application: limits, request ids, disconnects."""
