"""AgentHandle, BoardHandle, ScratchpadHandle: cheap, picklable, one method a verb."""

from pinak_ray.client.handles.agent import AgentHandle
from pinak_ray.client.handles.board.handle import BoardHandle
from pinak_ray.client.handles.scratchpad.handle import ScratchpadHandle

__all__ = ["AgentHandle", "BoardHandle", "ScratchpadHandle"]
