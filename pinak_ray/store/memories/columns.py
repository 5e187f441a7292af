"""The columns of a memory as it is written: for COPY, for staging, and for every list in SQL."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["COLUMNS", "MEMORY"]

MEMORY: Mapping[str, str] = MappingProxyType(
    {
        "namespace_id": "integer",
        "id": "uuid",
        "agent": "text",
        "layer": "text",
        "content": "text",
        "session": "text",
        "details": "jsonb",
        "tags": "text[]",
        "entities": "text[]",
        "outcome": "text",
        "salience": "real",
        "occurred_at": "timestamptz",
        "created_at": "timestamptz",
        "expires_at": "timestamptz",
        "source": "text",
        "written_by": "text",
        "content_hash": "bytea",
        "lexemes": "tsvector",
        "analysis": "integer",
    }
)
"""By column its type. `{memory}` in a query stands for their names, `{memory_types}` for both."""
# A key ends with what it stands for: neither a revision nor what comes out of the archive has it.
_KEY = ("write_key", "says")
COLUMNS = (*MEMORY, *_KEY)
"""Those of a row that is written, in the order in which COPY has them."""
