"""Verbs that take several operations: what carries each out, over whichever transport."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from pinak_ray.composed.context import read_context
from pinak_ray.composed.promotion import promote
from pinak_ray.composed.suspicions import suspect
from pinak_ray.composed.templates import distill, find_templates
from pinak_ray.records.board.suspicions import Suspect
from pinak_ray.records.memory.promotion import Promote
from pinak_ray.records.memory.templates import Distill, FindTemplates
from pinak_ray.records.operations import ReadContext
from pinak_ray.records.sending import Send
from pinak_ray.records.wiring import Operation

__all__ = ["COMPOSED"]

COMPOSED: Mapping[type[Operation[Any]], Callable[[Send, Any], Awaitable[Any]]] = MappingProxyType(
    {
        Distill: distill,
        FindTemplates: find_templates,
        Promote: promote,
        ReadContext: read_context,
        Suspect: suspect,
    }
)
"""By the type of the operation. A transport gives its own `send`, so that over HTTP the gateway
carries them out, and one request is enough."""
