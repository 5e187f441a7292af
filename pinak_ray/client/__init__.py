"""What user code holds: connect, Swarm, AgentHandle, BoardHandle."""
