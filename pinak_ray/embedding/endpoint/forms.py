"""How an endpoint is asked, and where in its answer the vectors are: OpenAI's form, or another."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pinak_ray.embedding.endpoint.request import EndpointError
from pinak_ray.embedding.halfvec import LARGEST_STORED

__all__ = ["SHORTENED", "EndpointForm", "OpenAiForm", "too_long", "vectors_of"]

SHORTENED = 2_048
"""Of a vector that is too long so many numbers are kept, if no dimension is set."""


class EndpointForm(Protocol):
    """What differs between endpoints that embed; all else is the same for all of them."""

    @property
    def dimension_field(self) -> str:
        """The field that asks for another dimension than the model's own."""
        ...

    def address(self, url: str) -> str:
        """Return where to ask, of a server's address or the whole address."""
        ...

    def request(self, model: str, texts: Sequence[str], body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of a request; `body` has the fields that the user adds."""
        ...

    def vectors(self, answer: Any) -> Sequence[Any]:
        """Return an answer's vectors in the order of the texts; KeyError or TypeError if none."""
        ...


class OpenAiForm:
    """`POST /v1/embeddings`, as OpenAI, vLLM, TEI and Ollama have it."""

    dimension_field = "dimensions"

    def address(self, url: str) -> str:
        """Return where to ask; `url` may end with `/v1` or be the whole address."""
        if url.endswith("/embeddings"):
            return url
        return url + ("/embeddings" if url.endswith("/v1") else "/v1/embeddings")

    def request(self, model: str, texts: Sequence[str], body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of a request."""
        return {"encoding_format": "float", **body, "model": model, "input": list(texts)}

    def vectors(self, answer: Any) -> Sequence[Any]:
        """Return the vectors by their index: some servers answer out of order."""
        by_index = {item["index"]: item["embedding"] for item in answer["data"]}
        return [by_index[position] for position in range(len(by_index))]


def vectors_of(form: EndpointForm, answer: Any, count: int) -> Sequence[Any]:
    """Return the `count` vectors of an answer, in order, unchecked; raises EndpointError."""
    try:
        vectors = form.vectors(answer)
    except (KeyError, TypeError) as error:
        raise EndpointError(f"it did not answer {count} vectors") from error
    if len(vectors) != count:
        raise EndpointError(f"it answered {len(vectors)} vectors for {count} texts")
    return vectors


def too_long(vectors: Sequence[Any]) -> bool:
    """Tell whether vectors have more numbers than can be stored.

    Then their first ones stand for them. Models of that size are trained so that these say most, by
    Kusupati et al., "Matryoshka Representation Learning" (2022).
    """
    return bool(vectors) and len(vectors[0]) > LARGEST_STORED
