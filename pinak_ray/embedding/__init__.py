"""Text to vectors: one protocol, several embedders.

MiniLm (the default, int8 on onnxruntime), OpenAiEmbedder (any compatible endpoint) and
HashingEmbedder (tests only), the checks that vectors meet at the border, and their wire format.
"""

from pinak_ray.embedding.halfvec import decode_halfvec, encode_halfvec, encode_halfvec_one
from pinak_ray.embedding.hashing import HashingEmbedder
from pinak_ray.embedding.loading import EmbedderKind, EmbedderSpec, load_embedder
from pinak_ray.embedding.minilm import MiniLm
from pinak_ray.embedding.model_files import ModelFiles, Progress, ensure_model
from pinak_ray.embedding.openai import OpenAiEmbedder
from pinak_ray.embedding.protocol import (
    Embedder,
    EmbeddingModel,
    Vectors,
    check_texts,
    check_vector,
    check_vectors,
)

__all__ = [
    "Embedder",
    "EmbedderKind",
    "EmbedderSpec",
    "EmbeddingModel",
    "HashingEmbedder",
    "MiniLm",
    "ModelFiles",
    "OpenAiEmbedder",
    "Progress",
    "Vectors",
    "check_texts",
    "check_vector",
    "check_vectors",
    "decode_halfvec",
    "encode_halfvec",
    "encode_halfvec_one",
    "ensure_model",
    "load_embedder",
]
