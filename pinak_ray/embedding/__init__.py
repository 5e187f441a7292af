"""Text to vectors: one protocol, several embedders.

`load_embedder` gives `minilm.MiniLm` (the default, int8 on onnxruntime), `e5.E5Small` (many
languages), `openai.OpenAiEmbedder` (any compatible endpoint) or HashingEmbedder (tests only). The
first three are imported when they are loaded: every actor imports this package, and most of them
embed nothing.
"""

from pinak_ray.embedding.built_in.model_files import BuiltIn, ModelFiles, Progress, ensure_model
from pinak_ray.embedding.endpoint.options import EndpointOptions
from pinak_ray.embedding.endpoint.remote import (
    Embedded,
    Remote,
    Sided,
    embed_each,
    embed_queries,
    embed_soon,
    trouble_of,
)
from pinak_ray.embedding.halfvec import (
    LARGEST_STORED,
    decode_halfvec,
    decode_halfvecs,
    encode_halfvec,
    encode_halfvec_one,
    halfvec_dimension,
)
from pinak_ray.embedding.hashing import HashingEmbedder
from pinak_ray.embedding.likeness import Knows, likeness, similarity
from pinak_ray.embedding.loading import (
    BUILT_IN,
    EmbedderSpec,
    embedder_kinds,
    is_installed,
    load_embedder,
    with_dimension,
)
from pinak_ray.embedding.products import inner_products
from pinak_ray.embedding.protocol import (
    Embedder,
    EmbeddingModel,
    Vectors,
    check_texts,
    check_vector,
    check_vectors,
)
from pinak_ray.embedding.sketches import Sketches

__all__ = [
    "BUILT_IN",
    "LARGEST_STORED",
    "BuiltIn",
    "Embedded",
    "Embedder",
    "EmbedderSpec",
    "EmbeddingModel",
    "EndpointOptions",
    "HashingEmbedder",
    "Knows",
    "ModelFiles",
    "Progress",
    "Remote",
    "Sided",
    "Sketches",
    "Vectors",
    "check_texts",
    "check_vector",
    "check_vectors",
    "decode_halfvec",
    "decode_halfvecs",
    "embed_each",
    "embed_queries",
    "embed_soon",
    "embedder_kinds",
    "encode_halfvec",
    "encode_halfvec_one",
    "ensure_model",
    "halfvec_dimension",
    "inner_products",
    "is_installed",
    "likeness",
    "load_embedder",
    "similarity",
    "trouble_of",
    "with_dimension",
]
