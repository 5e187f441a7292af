"""The options of `pinak-ray models add`: how a model is reached, and what it is asked with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from pinak_ray.embedding import EmbedderSpec, EndpointOptions
from pinak_ray.records.errors import InvalidInput

__all__ = ["ModelOptions"]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What of a model the kind alone does not say."""

    model: Annotated[str | None, typer.Option(help="openai: the endpoint's model.")] = None
    url: Annotated[str | None, typer.Option(help="openai: the endpoint.")] = None
    dimension: Annotated[int | None, typer.Option(help="openai, hashing: its dimension.")] = None
    directory: Annotated[
        Path | None, typer.Option(help="minilm, e5: a directory with the model's files.")
    ] = None
    query_prefix: Annotated[str, typer.Option(help="openai: said before each query.")] = ""
    passage_prefix: Annotated[str, typer.Option(help="openai: said before each memory.")] = ""
    body: Annotated[
        str, typer.Option(help='openai: extra fields of each request, as JSON: {"truncate": true}.')
    ] = "{}"
    query_body: Annotated[
        str, typer.Option(help='openai: extra fields for queries: {"input_type": "query"}.')
    ] = "{}"
    passage_body: Annotated[
        str, typer.Option(help='openai: extra fields for memories: {"input_type": "passage"}.')
    ] = "{}"
    batch: Annotated[int, typer.Option(min=1, max=2048, help="openai: texts a request.")] = 64
    key_file: Annotated[Path | None, typer.Option(help="openai: a file with its key.")] = None

    def spec(self, kind: str) -> EmbedderSpec:
        """Return what says how to make the embedder."""
        # An actor has another working directory.
        place = self.directory.absolute() if self.directory else None
        options = EndpointOptions(
            batch=self.batch,
            body=_fields("--body", self.body),
            query_body=_fields("--query-body", self.query_body),
            passage_body=_fields("--passage-body", self.passage_body),
            query_prefix=self.query_prefix,
            passage_prefix=self.passage_prefix,
            key_file=self.key_file.absolute() if self.key_file else None,
        )
        return EmbedderSpec(
            kind=kind,
            model=self.model,
            url=self.url,
            dimension=self.dimension,
            directory=place,
            endpoint=options,
        )


def _fields(option: str, text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{option} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{option} must be a JSON object")
    return found
