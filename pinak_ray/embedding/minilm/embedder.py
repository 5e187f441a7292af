"""The default embedder: all-MiniLM-L6-v2 in int8 on onnxruntime, no torch."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from pinak_ray.embedding.minilm.model_files import ModelFiles
from pinak_ray.embedding.protocol import EmbeddingModel, Vectors, check_texts, check_vectors
from pinak_ray.records.errors import SetupError, Unavailable

__all__ = ["MAX_TOKENS", "MiniLm"]

T = TypeVar("T")

MAX_TOKENS = 256  # what the model was tuned for; the rest of a longer text does not count
# 256 tokens of prose are about 1 500 characters; a megabyte would cost the tokenizer a second.
MAX_CHARACTERS = 16_384
# Texts per hop to a worker: a hop costs 0.1 ms, and a query waits for one at most.
_TEXTS_A_HOP = 4
# Of so many characters it is told whether the model knows their words: some 60 us where any of them
# is not ASCII.
_JUDGED = 512
_UNKNOWN = "[UNK]"
_LONGEST_WORD = 100  # the tokenizer takes a longer one for unknown
# Its fused kernel is scalar and slower than Add + LayerNormalization: 2.6 against 2.2 ms a query,
# 230 against 277 texts/s (30 tokens, batch 32, one thread).
SLOW_FUSIONS = ["SkipLayerNormFusion"]


class MiniLm:
    """Embeds in worker threads, one text a run.

    A text's vector depends on the text alone. int8 activations are scaled by the largest one of a
    run, so in a batch each text would move the others by about .01, which is more than lies between
    two hits, and nudges changed with it. A batch of like lengths would be 24% faster at 30 tokens
    and no faster at 100, where the cores' own caches are full.

    `workers` texts are computed at once, each on `threads` of onnxruntime's compute threads (0:
    one for each core). One worker with all threads answers one query soonest; a worker a core, with
    one thread each, embeds more texts/s, as cores need not meet after every step of a batch.
    """

    def __init__(self, files: ModelFiles, *, threads: int = 0, workers: int = 1) -> None:
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._session = _open_session(files, threads=threads)
        # A candidate is asked for again with each intent that it may bear on.
        self._knows = lru_cache(maxsize=2048)(partial(_is_known, self._tokenizer))
        self._inputs = frozenset(given.name for given in self._session.get_inputs())
        self._workers = workers
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="pinak-embed")
        self._closed = False
        dimension = self._run(["warm up"]).shape[1]
        self.model = EmbeddingModel(name=files.name, revision=files.revision, dimension=dimension)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, 384) float32 of length one; only the first 256 tokens of a text count.

        Raises `InvalidInput` for an empty text, `Unavailable` after `aclose`.
        """
        checked = check_texts(texts)
        vectors = np.empty((len(checked), self.model.dimension), dtype=np.float32)
        starts = iter(range(0, len(checked), _TEXTS_A_HOP))

        async def work_off() -> None:
            for start in starts:  # shared: each worker takes the next ones
                end = start + _TEXTS_A_HOP
                vectors[start:end] = await self._work(partial(self._run, checked[start:end]))

        await asyncio.gather(*(work_off() for _ in range(self._workers)))
        return check_vectors(vectors, count=len(checked), dimension=self.model.dimension)

    def knows(self, text: str) -> bool:
        """Tell whether at least two in three tokens of the text's beginning are English pieces.

        The others are unknown, or single letters of scripts that the model was not trained on.
        """
        return self._knows(text[:_JUDGED])

    async def aclose(self) -> None:
        """Stop the workers after their batches; texts still waiting fail with `Unavailable`."""
        self._closed = True
        self._pool.shutdown(wait=False)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<MiniLm({self.model.name}, {self.model.revision}, {state})>"

    async def _work(self, job: Callable[[], T]) -> T:
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, job)
        except RuntimeError as error:
            raise Unavailable("the embedder is closed") from error
        return await future

    def _tokens(self, text: str) -> list[int]:
        return self._tokenizer.encode(text[:MAX_CHARACTERS]).ids

    def _run(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimension) float32."""
        return np.concatenate([self._run_one(self._tokens(text)) for text in texts])

    def _run_one(self, tokens: list[int]) -> Vectors:
        ids = np.array([tokens], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if "token_type_ids" in self._inputs:  # exports by others ask for it
            feed["token_type_ids"] = np.zeros_like(ids)
        output: Vectors = self._session.run(None, feed)[0]
        # An export by others gives token vectors, (1, tokens, dimension): their mean.
        return output if output.ndim == 2 else output.mean(axis=1)


def _is_known(tokenizer: Tokenizer, text: str) -> bool:
    if text.isascii() and all(len(word) <= _LONGEST_WORD for word in text.split()):
        return True
    known = unknown = 0
    for token in tokenizer.encode(text, add_special_tokens=False).tokens:
        piece = token.removeprefix("##")
        if piece == _UNKNOWN or (piece.isalnum() and not piece.isascii()):
            unknown += 1
        elif piece.isalnum():
            known += 1
    return known >= 2 * unknown and known > 0


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
