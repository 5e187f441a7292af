"""Run a built graph: one session, and worker threads that take a list's texts in turn."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort

from pinak_ray.embedding.protocol import Vectors
from pinak_ray.records.errors import SetupError, Unavailable

__all__ = ["Workers", "open_session"]

# Texts per hop to a worker: a hop costs 0.1 ms, and a query waits for one at most.
_TEXTS_A_HOP = 4
# Its fused kernel is scalar and slower than Add + LayerNormalization: 2.6 against 2.2 ms a query,
# 230 against 277 texts/s (30 tokens, batch 32, one thread).
SLOW_FUSIONS = ["SkipLayerNormFusion"]


class Workers:
    """Threads that embed, one text a run.

    A text's vector depends on the text alone. int8 activations are scaled by the largest one of a
    run, so in a batch each text would move the others by about .01, which is more than lies between
    two hits, and nudges changed with it. A batch of like lengths would be 24% faster at 30 tokens
    and no faster at 100, where the cores' own caches are full.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="pinak-embed")
        self.is_closed = False

    async def embed(
        self, texts: Sequence[str], run: Callable[[str], Vectors], dimension: int
    ) -> Vectors:
        """Return (n, dimension), the vectors that `run` gives of each text; raises Unavailable."""
        vectors = np.empty((len(texts), dimension), dtype=np.float32)
        starts = iter(range(0, len(texts), _TEXTS_A_HOP))

        def fill(start: int) -> None:
            for at, text in enumerate(texts[start : start + _TEXTS_A_HOP], start):
                vectors[at] = run(text)

        async def work_off() -> None:
            for start in starts:  # shared: each worker takes the next ones
                await self._hop(partial(fill, start))

        await asyncio.gather(*(work_off() for _ in range(self._count)))
        return vectors

    def close(self) -> None:
        """Stop after what is under way; texts still waiting fail with `Unavailable`."""
        self.is_closed = True
        self._pool.shutdown(wait=False)

    async def _hop(self, job: Callable[[], None]) -> None:
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, job)
        except RuntimeError as error:
            raise Unavailable("the embedder is closed") from error
        await future


def open_session(graph: Path, *, threads: int) -> ort.InferenceSession:
    """Open a graph on so many compute threads (0: one for each core); raises SetupError."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A spinning pool burns a core between queries, which Ray's other actors need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(
            str(graph),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=SLOW_FUSIONS,
        )
    except Exception as error:  # onnxruntime's errors share no base class
        raise SetupError(f"cannot load the embedding model {graph}: {error}") from error
