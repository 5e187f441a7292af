"""A query's vector, or why words alone must do."""

from typing import NamedTuple

from pinak_ray.embedding import Embedder, check_texts, embed_queries, encode_halfvec_one
from pinak_ray.recall.recipes import LEXICAL, Recipe
from pinak_ray.records.errors import EmbedderUnavailable, InvalidInput

__all__ = ["Asked", "asked_of"]


class Asked(NamedTuple):
    """A query's vector in halfvec form, if it needs one; or why the answer does without."""

    vector: bytes | None
    degraded: str | None = None


async def asked_of(embedder: Embedder, query: str, recipe: Recipe) -> Asked:
    """Embed a query; where that fails and the recipe has words, say so and go by them alone."""
    check_texts([query])
    try:
        return Asked(encode_halfvec_one((await embed_queries(embedder, [query]))[0]))
    except (EmbedderUnavailable, InvalidInput) as error:
        if LEXICAL not in recipe.weights:
            raise
        return Asked(None, f"by words alone: {error}")
