"""Cohere's `POST /v2/embed`, as a provider: `PINAK_EMBEDDER=cohere`, with a key and a model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pinak_ray.embedding.endpoint.openai import OpenAiEmbedder
from pinak_ray.embedding.loading import EmbedderSpec
from pinak_ray.records.errors import SetupError

__all__ = ["CohereForm", "embedder"]

_URL = "https://api.cohere.com"


class CohereForm:
    """Other names for the same, vectors by their type, and a word on what is embedded."""

    dimension_field = "output_dimension"

    def address(self, url: str) -> str:
        """Return where to ask, of the server's address or the whole one."""
        return url if url.endswith("/embed") else f"{url}/v2/embed"

    def request(self, model: str, texts: Sequence[str], body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of a request."""
        return {**body, "model": model, "texts": list(texts), "embedding_types": ["float"]}

    def vectors(self, answer: Any) -> Sequence[Any]:
        """Return an answer's vectors: they are in the order of the texts."""
        found: Sequence[Any] = answer["embeddings"]["float"]
        return found


def embedder(spec: EmbedderSpec) -> OpenAiEmbedder:
    """Return the embedder of this spec; raises SetupError where it has no model or dimension."""
    if not spec.model or not spec.dimension:
        raise SetupError("the embedder cohere needs a model and its dimension")
    options = replace(
        spec.endpoint,
        query_body={"input_type": "search_query", **spec.endpoint.query_body},
        passage_body={"input_type": "search_document", **spec.endpoint.passage_body},
    )
    return OpenAiEmbedder(
        spec.url or _URL,
        spec.model,
        dimension=spec.dimension,
        api_key=spec.api_key or None,
        options=options,
        form=CohereForm(),
    )
