"""From a small, picklable description to a working embedder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from pinak_ray.embedding.hashing import HashingEmbedder
from pinak_ray.embedding.model_files import Progress, ensure_model
from pinak_ray.embedding.protocol import Embedder
from pinak_ray.records.errors import SetupError

__all__ = ["EmbedderKind", "EmbedderSpec", "load_embedder"]

EmbedderKind: TypeAlias = Literal["minilm", "openai", "hashing"]

HASHING_DIMENSION = 384  # as the default model's, so that a test's tables fit both


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderSpec:
    """Which embedder to load; picklable, so that each actor loads its own.

    minilm needs `cache_dir` and takes `directory`, `threads` (0: one for each core)
    and `workers`, see MiniLm;
    openai needs `url`, `model`, `dimension` and takes `api_key`; hashing takes `dimension`.
    """

    kind: EmbedderKind = "minilm"
    cache_dir: Path | None = None
    directory: Path | None = None
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    dimension: int | None = None
    threads: int = 0
    workers: int = 1


def load_embedder(spec: EmbedderSpec, progress: Progress | None = None) -> Embedder:
    """Return the embedder that `spec` describes.

    Blocks: 0.2 s from a warm cache, much longer when the model must be built; from a running event
    loop call it by `asyncio.to_thread`. Raises `SetupError` when a setting is missing.
    """
    match spec.kind:
        case "minilm":
            return _load_minilm(spec, progress)
        case "openai":
            return _load_openai(spec)
        case "hashing":
            return HashingEmbedder(spec.dimension or HASHING_DIMENSION)
    raise SetupError(f"unknown embedder {spec.kind!r}: choose minilm, openai or hashing")


def _load_minilm(spec: EmbedderSpec, progress: Progress | None) -> Embedder:
    from pinak_ray.embedding.minilm import MiniLm

    if spec.cache_dir is None:
        raise SetupError("the embedder minilm needs a cache_dir")
    files = ensure_model(spec.cache_dir, directory=spec.directory, progress=progress)
    return MiniLm(files, threads=spec.threads, workers=spec.workers)


def _load_openai(spec: EmbedderSpec) -> Embedder:
    from pinak_ray.embedding.openai import OpenAiEmbedder

    if not spec.url or not spec.model or not spec.dimension:
        raise SetupError("the embedder openai needs a url, a model and a dimension")
    return OpenAiEmbedder(
        spec.url, spec.model, dimension=spec.dimension, api_key=spec.api_key or None
    )
