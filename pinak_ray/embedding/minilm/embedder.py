"""The default embedder: all-MiniLM-L6-v2 in int8 on onnxruntime, no torch."""

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
from tokenizers import Tokenizer

from pinak_ray.embedding.built_in.model_files import ModelFiles
from pinak_ray.embedding.built_in.runtime import Workers, open_session
from pinak_ray.embedding.protocol import EmbeddingModel, Vectors, check_texts, check_vectors

__all__ = ["MAX_TOKENS", "MiniLm"]

MAX_TOKENS = 256  # what the model was tuned for; the rest of a longer text does not count
# 256 tokens of prose are about 1 500 characters; a megabyte would cost the tokenizer a second.
MAX_CHARACTERS = 16_384
# Of so many characters it is told whether the model knows their words: some 60 us where any of them
# is not ASCII.
_JUDGED = 512
_UNKNOWN = "[UNK]"
_LONGEST_WORD = 100  # the tokenizer takes a longer one for unknown


class MiniLm:
    """Embeds in worker threads, one text a run.

    `workers` texts are computed at once, each on `threads` of onnxruntime's compute threads (0:
    one for each core). One worker with all threads answers one query soonest; a worker a core, with
    one thread each, embeds more texts/s, as cores need not meet after every step of a batch.
    """

    def __init__(self, files: ModelFiles, *, threads: int = 0, workers: int = 1) -> None:
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._session = open_session(files.onnx, threads=threads)
        # A candidate is asked for again with each intent that it may bear on.
        self._knows = lru_cache(maxsize=2048)(partial(_is_known, self._tokenizer))
        self._inputs = frozenset(given.name for given in self._session.get_inputs())
        self._workers = Workers(workers)
        dimension = self._run("warm up").shape[0]
        self.model = EmbeddingModel(name=files.name, revision=files.revision, dimension=dimension)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, 384) float32 of length one; only the first 256 tokens of a text count.

        Raises `InvalidInput` for an empty text, `Unavailable` after `aclose`.
        """
        checked = check_texts(texts)
        vectors = await self._workers.embed(checked, self._run, self.model.dimension)
        return check_vectors(vectors, count=len(checked), dimension=self.model.dimension)

    def knows(self, text: str) -> bool:
        """Tell whether at least two in three tokens of the text's beginning are English pieces.

        The others are unknown, or single letters of scripts that the model was not trained on.
        """
        return self._knows(text[:_JUDGED])

    async def aclose(self) -> None:
        """Stop the workers after their batches; texts still waiting fail with `Unavailable`."""
        self._workers.close()

    def __repr__(self) -> str:
        state = "closed" if self._workers.is_closed else "open"
        return f"<MiniLm({self.model.name}, {self.model.revision}, {state})>"

    def _tokens(self, text: str) -> list[int]:
        return self._tokenizer.encode(text[:MAX_CHARACTERS]).ids

    def _run(self, text: str) -> Vectors:
        """Return a text's vector, (dimension,) float32."""
        ids = np.array([self._tokens(text)], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if "token_type_ids" in self._inputs:  # exports by others ask for it
            feed["token_type_ids"] = np.zeros_like(ids)
        output: Vectors = self._session.run(None, feed)[0][0]
        # An export by others gives token vectors, (tokens, dimension): their mean.
        return output if output.ndim == 1 else output.mean(axis=0)


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
