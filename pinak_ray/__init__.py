"""The memory plane for agent swarms on Ray.

swarm = pinak_ray.connect()
agent = swarm.agent("deployer")
receipt = await agent.remember("rollout blocked: migration 42 locks orders", outcome="failure")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinak_ray.client import AgentHandle, BoardHandle, ScratchpadHandle, Swarm, connect
    from pinak_ray.cluster.started import running, start
    from pinak_ray.records.errors import (
        Conflict,
        Forbidden,
        IdempotencyMismatch,
        InvalidInput,
        NotFound,
        NotRunning,
        Overloaded,
        PinakError,
        SetupError,
        Superseded,
        Unauthorized,
        Unavailable,
        VersionConflict,
    )
    from pinak_ray.records.memory.links import LinkKind, Related
    from pinak_ray.records.memory.memories import Ack, Layer, Outcome, Receipt
    from pinak_ray.records.memory.nudges import Nudge
    from pinak_ray.records.memory.recall import Hit, RecallResult
else:
    _WITH_SERVER = ("running", "start")

    def __getattr__(name: str) -> Any:
        """Load the public names on first use: Ray and the rest take a second, the hook has 0.1."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name in _WITH_SERVER:
            from pinak_ray.cluster import started

            return getattr(started, name)
        from pinak_ray import client
        from pinak_ray.records import errors
        from pinak_ray.records.memory import links, memories, nudges, recall

        for module in (client, errors, links, memories, nudges, recall):
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                break
        return globals()[name]


__version__ = "0.1.0"

__all__ = [
    "Ack", "AgentHandle", "BoardHandle", "Conflict", "Forbidden", "Hit", "IdempotencyMismatch",
    "InvalidInput", "Layer", "LinkKind", "NotFound", "NotRunning", "Nudge", "Outcome", "Overloaded",
    "PinakError", "RecallResult", "Receipt", "Related", "ScratchpadHandle", "SetupError",
    "Superseded", "Swarm", "Unauthorized", "Unavailable", "VersionConflict", "__version__",
    "connect", "running", "start",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
