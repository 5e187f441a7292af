"""Verbs that take several operations: what carries each out, over whichever transport."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from pinak_ray.client.context import read_context
from pinak_ray.client.promotion import promote
from pinak_ray.client.suspicions import suspect
from pinak_ray.client.templates import distill, find_templates
from pinak_ray.client.transport import Send
from pinak_ray.records.board_suspicions import Suspect
from pinak_ray.records.operations import ReadContext
from pinak_ray.records.promotion import Promote
from pinak_ray.records.templates import Distill, FindTemplates
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
