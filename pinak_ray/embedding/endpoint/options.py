"""How an OpenAI-compatible endpoint is asked, beside its address, its model and its key."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

__all__ = ["EndpointOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """What an endpoint is asked with; the defaults suit OpenAI, vLLM, TEI and Ollama.

    `body` goes into every request, `query_body` and `passage_body` into those of one side, and so
    do the prefixes before each text: some models must be told what is asked from what is stored.
    """

    batch: int = 64
    """Texts a request at most. An endpoint that takes fewer is found out by halving."""
    timeout_s: float = 30.0
    """For one request that somebody's memories wait for."""
    query_timeout_s: float = 0.8
    """For the vector of a query, whose reader otherwise goes by words alone."""
    body: Mapping[str, Any] = field(default_factory=dict)
    query_body: Mapping[str, Any] = field(default_factory=dict)
    passage_body: Mapping[str, Any] = field(default_factory=dict)
    query_prefix: str = ""
    passage_prefix: str = ""
    key_file: Path | None = None
    """Holds the key, and is read anew for each request: a key may be replaced meanwhile."""

    @property
    def revision(self) -> str:
        """The space of the vectors: those of texts with another prefix compare with none of it."""
        if not self.passage_prefix:
            return "openai"
        return f"openai {blake2b(self.passage_prefix.encode(), digest_size=4).hexdigest()}"

    def to_json(self) -> dict[str, Any]:
        """Return what differs from the defaults, as JSON holds it; no key is part of it."""
        unlike = EndpointOptions()
        told = {
            name: value for name, value in asdict(self).items() if value != getattr(unlike, name)
        }
        if self.key_file is not None:
            told["key_file"] = str(self.key_file)
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return the options of `to_json`."""
        key_file = told.get("key_file")
        return cls(**{**told, "key_file": Path(key_file) if key_file else None})
