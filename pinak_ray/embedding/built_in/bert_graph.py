"""The float32 graph of a mean-pooled BERT encoder, from its weights by their Hugging Face names.

It takes `attention_mask`, (batch, tokens) int64, and either `input_ids` of the same shape or, where
the table of token vectors stays outside, `tokens`, (batch, tokens, hidden) float32; it gives
`embedding`, (batch, hidden) float32, of length one.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Weights", "bert_graph"]

OPSET = 17  # the first with LayerNormalization
IR_VERSION = 8  # what opset 17 came with: any onnxruntime since 1.12 reads it
# onnxruntime's own operators: one fused attention a layer, which also quantises its input once for
# query, key and value together. 2.2 against 2.8 ms a query on two threads.
FUSED = "com.microsoft"
_WORDS = "embeddings.word_embeddings.weight"

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

    @property
    def has_words(self) -> bool:
        return _WORDS in self._weights

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
    """Return the graph; `config` has Hugging Face's fields too. Weights without the token vectors
    make one that is given them."""
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
    if graph.has_words:
        tokens = graph.op("Gather", graph.const("words", graph.weight(_WORDS)), "input_ids")
    else:
        tokens = "tokens"
    first = graph.const("axis0", [0], np.int64)
    second = graph.const("axis1", [1], np.int64)
    length = graph.op("Gather", graph.op("Shape", "attention_mask"), second, axis=0)
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
    shape = ["batch", "length"]
    given = (
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)
        if graph.has_words
        else helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [*shape, hidden])
    )
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, shape)
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", hidden])
    body = helper.make_graph(graph.nodes, "bert", [given, mask], [output], graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
    model = helper.make_model(body, opset_imports=opsets)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return model
