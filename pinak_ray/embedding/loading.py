"""From a small, picklable description to a working embedder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType

from pinak_ray.embedding.built_in.model_files import BuiltIn, Progress, ensure_model
from pinak_ray.embedding.e5.model import E5
from pinak_ray.embedding.endpoint.options import EndpointOptions
from pinak_ray.embedding.hashing import HashingEmbedder
from pinak_ray.embedding.minilm.model import MINILM
from pinak_ray.embedding.protocol import Embedder
from pinak_ray.records.errors import SetupError

__all__ = [
    "BUILT_IN",
    "PROVIDERS",
    "EmbedderSpec",
    "embedder_kinds",
    "is_installed",
    "load_embedder",
    "with_dimension",
]

BUILT_IN: Mapping[str, BuiltIn] = MappingProxyType({"minilm": MINILM, "e5": E5})
"""The models that come in a wheel, by the kind of a spec."""
_KINDS = (*BUILT_IN, "openai", "hashing")
PROVIDERS = "pinak_ray.embedders"
"""The entry points of a package that brings an embedder: name, and what makes it of its spec."""

HASHING_DIMENSION = 384  # as the default model's, so that a test's tables fit both


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderSpec:
    """Which embedder to load; picklable, so that each actor loads its own.

    minilm and e5 need `cache_dir` and take `directory`, `threads` (0: one for each core)
    and `workers`, see MiniLm;
    openai needs `url` and `model`, and takes `dimension` (where none is given, `with_dimension`
    asks for it), `api_key` and `endpoint`; hashing takes `dimension`. Any other kind is the name of
    an entry point of `pinak_ray.embedders`, and takes what that provider says.
    """

    kind: str = "minilm"
    cache_dir: Path | None = None
    directory: Path | None = None
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    dimension: int | None = None
    endpoint: EndpointOptions = field(default_factory=EndpointOptions)
    threads: int = 0
    workers: int = 1


def load_embedder(spec: EmbedderSpec, progress: Progress | None = None) -> Embedder:
    """Return the embedder that `spec` describes.

    Blocks: 0.2 s from a warm cache, much longer when the model must be built; from a running event
    loop call it by `asyncio.to_thread`. Raises `SetupError` when a setting is missing.
    """
    match spec.kind:
        case "minilm" | "e5":
            return _load_built_in(spec, progress)
        case "openai":
            return _load_openai(spec)
        case "hashing":
            return HashingEmbedder(spec.dimension or HASHING_DIMENSION)
    return _load_provided(spec)


def is_installed(kind: str) -> bool:
    """Tell whether there is an embedder of this kind; of a built-in one no package is asked, which
    takes 13 ms."""
    return kind in _KINDS or bool(entry_points(group=PROVIDERS, name=kind))


def embedder_kinds() -> list[str]:
    """Return what a spec's kind may be: the built-in ones, and those of installed packages."""
    return [*_KINDS, *sorted(entry_points(group=PROVIDERS).names)]


def _load_provided(spec: EmbedderSpec) -> Embedder:
    found = entry_points(group=PROVIDERS, name=spec.kind)
    if not found:
        names = ", ".join(embedder_kinds())
        raise SetupError(f"unknown embedder {spec.kind!r}; installed are: {names}")
    make: Callable[[EmbedderSpec], Embedder] = found[spec.kind].load()
    return make(spec)


def _load_built_in(spec: EmbedderSpec, progress: Progress | None) -> Embedder:
    if spec.cache_dir is None:
        raise SetupError(f"the embedder {spec.kind} needs a cache_dir")
    model = BUILT_IN[spec.kind]
    files = ensure_model(model, spec.cache_dir, directory=spec.directory, progress=progress)
    if model is E5:
        from pinak_ray.embedding.e5.embedder import E5Small

        return E5Small(files, threads=spec.threads, workers=spec.workers)
    from pinak_ray.embedding.minilm.embedder import MiniLm

    return MiniLm(files, threads=spec.threads, workers=spec.workers)


def _load_openai(spec: EmbedderSpec) -> Embedder:
    from pinak_ray.embedding.endpoint.openai import OpenAiEmbedder

    if not spec.url or not spec.model or not spec.dimension:
        raise SetupError(
            "the embedder openai needs a url and a model, and a dimension to be loaded"
        )
    return OpenAiEmbedder(
        spec.url,
        spec.model,
        dimension=spec.dimension,
        api_key=spec.api_key or None,
        options=spec.endpoint,
    )


async def with_dimension(spec: EmbedderSpec) -> EmbedderSpec:
    """Return the spec with its dimension, for which an endpoint is asked where it is not known.

    Raises `EmbedderUnavailable` where it does not answer.
    """
    if spec.kind != "openai" or spec.dimension or not spec.url or not spec.model:
        return spec
    from pinak_ray.embedding.endpoint.openai import measured_dimension

    dimension = await measured_dimension(
        spec.url, spec.model, api_key=spec.api_key or None, options=spec.endpoint
    )
    return replace(spec, dimension=dimension)
