"""What user code holds: connect, Swarm, AgentHandle, BoardHandle."""

from pinak_ray.client.connection import connect
from pinak_ray.client.handles import AgentHandle, BoardHandle, ScratchpadHandle
from pinak_ray.client.swarm import Swarm

__all__ = ["AgentHandle", "BoardHandle", "ScratchpadHandle", "Swarm", "connect"]
