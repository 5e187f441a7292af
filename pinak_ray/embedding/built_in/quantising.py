"""From an exact graph to the int8 one that is kept, checked against it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic

__all__ = ["write_int8"]

# int8 reaches .988 to .996 on short texts; a broken graph is far below.
LEAST_COSINE = 0.97


def write_int8(graph: onnx.ModelProto, out: Path, feed: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write OUT/model_int8.onnx, per channel.

    Raises `ValueError` where it does not agree with the exact graph on the one text of `feed`.
    """
    exact, quantised = out / "model_fp32.onnx", out / "model_int8.onnx"
    onnx.save(graph, exact)
    quantize_dynamic(
        exact,
        quantised,
        weight_type=QuantType.QInt8,
        per_channel=True,
        # onnx cannot infer a type behind onnxruntime's own operators.
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
    one, other = (
        ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, dict(feed))[
            0
        ][0]
        for path in (exact, quantised)
    )
    cosine = float(one @ other)
    if not cosine >= LEAST_COSINE:
        raise ValueError(f"the int8 model agrees with the float32 one only to {cosine:.3f}")
    exact.unlink()
