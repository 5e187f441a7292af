"""How true relevance is, and the command that fits it."""
