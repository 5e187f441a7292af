"""PostgreSQL: pool, named queries, memories, vectors, agent state."""
