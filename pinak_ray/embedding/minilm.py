"""The default embedder: all-MiniLM-L6-v2 in int8 on onnxruntime, no torch."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from tokenizers import Tokenizer

from pinak_ray.embedding.model_files import ModelFiles
from pinak_ray.embedding.protocol import EmbeddingModel, Vectors, check_texts, check_vectors
from pinak_ray.records.errors import SetupError, Unavailable

__all__ = ["MAX_TOKENS", "MiniLm"]

T = TypeVar("T")

MAX_TOKENS = 256  # what the model was tuned for; the rest of a longer text does not count
# 256 tokens of prose are about 1 500 characters; a megabyte would cost the tokenizer a second.
MAX_CHARACTERS = 16_384
MAX_BATCH = 32  # larger batches are no faster and their peak memory grows to 700 MB
# 32 texts of 128 tokens: beyond it the activations leave the CPU's cache.
MAX_BATCH_TOKENS = 4_096
# Its fused kernel is scalar and slower than Add + LayerNormalization: 2.6 against 2.2 ms a query,
# 230 against 277 texts/s (30 tokens, batch 32, one thread).
SLOW_FUSIONS = ["SkipLayerNormFusion"]

Tokens = list[int]


class MiniLm:
    """Embeds in one worker thread; lists are cut into batches, so a query waits for one at most.

    `threads` is onnxruntime's number of compute threads for one batch (0: one for each core).
    """

    def __init__(self, files: ModelFiles, *, threads: int = 0) -> None:
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._session = _open_session(files, threads=threads)
        self._inputs = frozenset(given.name for given in self._session.get_inputs())
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pinak-embed")
        self._closed = False
        dimension = self._run([self._tokens("warm up")]).shape[1]
        self.model = EmbeddingModel(name=files.name, revision=files.revision, dimension=dimension)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, 384) float32 of length one; only the first 256 tokens of a text count.

        Raises `InvalidInput` for an empty text, `Unavailable` after `aclose`.
        """
        checked = check_texts(texts)
        if len(checked) == 1:  # a query: one hop to the worker instead of two
            vectors = await self._work(lambda: self._run([self._tokens(checked[0])]))
            return check_vectors(vectors, count=1, dimension=self.model.dimension)
        tokens = await self._work(lambda: [self._tokens(text) for text in checked])
        vectors = np.empty((len(checked), self.model.dimension), dtype=np.float32)
        for batch in _batches(tokens):
            rows = [tokens[position] for position in batch]
            vectors[batch] = await self._work(partial(self._run, rows))
        return check_vectors(vectors, count=len(checked), dimension=self.model.dimension)

    async def aclose(self) -> None:
        """Stop the worker once its batch is done; texts still waiting fail with `Unavailable`."""
        self._closed = True
        self._worker.shutdown(wait=False)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<MiniLm({self.model.name}, {self.model.revision}, {state})>"

    async def _work(self, job: Callable[[], T]) -> T:
        try:
            future = asyncio.get_running_loop().run_in_executor(self._worker, job)
        except RuntimeError as error:
            raise Unavailable("the embedder is closed") from error
        return await future

    def _tokens(self, text: str) -> Tokens:
        return self._tokenizer.encode(text[:MAX_CHARACTERS]).ids

    def _run(self, rows: list[Tokens]) -> Vectors:
        """Run one batch: rows of token ids to (n, dimension) float32."""
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for position, row in enumerate(rows):
            ids[position, : len(row)] = row
            mask[position, : len(row)] = 1
        feed = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._inputs:  # exports by others ask for it
            feed["token_type_ids"] = np.zeros_like(ids)
        return _pooled(self._session.run(None, feed)[0], mask)


def _open_session(files: ModelFiles, *, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A spinning pool burns a core between queries, which Ray's other actors need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(
            str(files.onnx),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=SLOW_FUSIONS,
        )
    except Exception as error:  # onnxruntime's errors share no base class
        raise SetupError(f"cannot load the embedding model {files.onnx}: {error}") from error


def _batches(tokens: list[Tokens]) -> Iterator[list[int]]:
    """Yield positions in batches of like length, so that little of a batch is padding."""
    batch: list[int] = []
    for position in sorted(range(len(tokens)), key=lambda position: len(tokens[position])):
        # Sorted upwards: this row is the longest yet, all others are padded to it.
        full = (len(batch) + 1) * len(tokens[position]) > MAX_BATCH_TOKENS
        if batch and (full or len(batch) == MAX_BATCH):
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _pooled(output: Vectors, mask: npt.NDArray[np.int64]) -> Vectors:
    """Return sentence vectors; an export by others gives token vectors, (n, tokens, dimension)."""
    if output.ndim == 2:
        return output
    weights = mask[:, :, np.newaxis].astype(np.float32)
    mean: Vectors = (output * weights).sum(axis=1) / weights.sum(axis=1)
    return mean
