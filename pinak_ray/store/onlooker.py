"""Who may only look leaves no trace: what it finds is no use, and its queries are not kept."""

from contextvars import ContextVar
from typing import Final

__all__ = ["only_looks"]

only_looks: Final[ContextVar[bool]] = ContextVar("only_looks", default=False)
"""Whether the request that is answered comes from a token that may not write."""
