"""The memory plane for agent swarms on Ray.

swarm = pinak_ray.connect()
agent = swarm.agent("deployer")
receipt = await agent.remember("rollout blocked: migration 42 locks orders", outcome="failure")
"""

from pinak_ray.client import AgentHandle, BoardHandle, ScratchpadHandle, Swarm, connect
from pinak_ray.records.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    NotRunning,
    Overloaded,
    PinakError,
    SetupError,
    Unauthorized,
    Unavailable,
    VersionConflict,
)
from pinak_ray.records.memories import Ack, Layer, Outcome, Receipt
from pinak_ray.records.nudges import Nudge
from pinak_ray.records.recall import Hit, RecallResult

__version__ = "0.1.0"

__all__ = [
    "Ack",
    "AgentHandle",
    "BoardHandle",
    "Conflict",
    "Forbidden",
    "Hit",
    "InvalidInput",
    "Layer",
    "NotFound",
    "NotRunning",
    "Nudge",
    "Outcome",
    "Overloaded",
    "PinakError",
    "RecallResult",
    "Receipt",
    "ScratchpadHandle",
    "SetupError",
    "Swarm",
    "Unauthorized",
    "Unavailable",
    "VersionConflict",
    "__version__",
    "connect",
]
