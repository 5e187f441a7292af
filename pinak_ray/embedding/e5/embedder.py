"""multilingual-e5-small in int8 on onnxruntime: questions and passages, in some 100 languages."""

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from pinak_ray.embedding.built_in.model_files import ModelFiles
from pinak_ray.embedding.built_in.runtime import Workers, open_session
from pinak_ray.embedding.e5.knowledge import is_known
from pinak_ray.embedding.e5.model import TOKENS
from pinak_ray.embedding.e5.pieces import BOS, EOS, load_pieces
from pinak_ray.embedding.e5.weights import dequantised
from pinak_ray.embedding.protocol import EmbeddingModel, Vectors, check_texts, check_vectors
from pinak_ray.records.errors import SetupError

__all__ = ["MAX_TOKENS", "E5Small"]

MAX_TOKENS = 512  # what the model was trained with; the rest of a longer text does not count
# No piece has more than 16 characters: none that counts lies behind these.
MAX_CHARACTERS = 8_192
QUERY, PASSAGE = "query: ", "passage: "
# The means of passages and of questions, (2, 384); `benchmarks.e5_centre` makes them.
CENTRE = Path(__file__).with_name("centre.npy")
_JUDGED = 512  # characters; so many tell whether a text's words are known


class E5Small:
    """Embeds in worker threads, one text a run; see `MiniLm` for `threads` and `workers`.

    All vectors of the model point much the same way: two texts that have nothing in common have a
    cosine of .8. So what most texts have in common is taken away, and the rest made as long as one:
    such texts then have about 0, and one scale of likeness serves this model and the default one.
    """

    def __init__(self, files: ModelFiles, *, threads: int = 0, workers: int = 1) -> None:
        try:
            self._pieces = load_pieces(files.tokenizer)
            self._tokens = np.load(files.onnx.with_name(TOKENS), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, KeyError) as error:
            raise SetupError(
                f"cannot load {files.name} from {files.onnx.parent}: {error}"
            ) from error
        self._session = open_session(files.onnx, threads=threads)
        passages, queries = np.load(CENTRE, allow_pickle=False)
        self._centres: dict[str, Vectors] = {PASSAGE: passages, QUERY: queries}
        self._knows = lru_cache(maxsize=2048)(partial(is_known, self._pieces))
        self._workers = Workers(workers)
        self.model = EmbeddingModel(files.name, files.revision, len(passages))
        self._run(PASSAGE, "warm up")

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed passages: (n, 384) float32 of length one; the first 512 tokens of a text count.

        Raises `InvalidInput` for an empty text, `Unavailable` after `aclose`.
        """
        return await self._embed(PASSAGE, texts)

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions, as `embed` does passages."""
        return await self._embed(QUERY, texts)

    def knows(self, text: str) -> bool:
        """Tell whether the beginning of the text is words of languages that the model has seen."""
        return self._knows(text[:_JUDGED])

    async def aclose(self) -> None:
        """Stop the workers after their texts; those still waiting fail with `Unavailable`."""
        self._workers.close()

    def __repr__(self) -> str:
        state = "closed" if self._workers.is_closed else "open"
        return f"<E5Small({self.model.name}, {self.model.revision}, {state})>"

    async def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        checked, dimension = check_texts(texts), self.model.dimension
        vectors = await self._workers.embed(checked, partial(self._run, prefix), dimension)
        return check_vectors(vectors, count=len(checked), dimension=dimension)

    def _run(self, prefix: str, text: str) -> Vectors:
        """Return a text's vector less the centre, (384,), of any length."""
        vector: Vectors = self.uncentred(prefix, text) - self._centres[prefix]
        return vector

    def uncentred(self, prefix: str, text: str) -> Vectors:
        """Return a text's vector as the model has it, (384,), of length one."""
        ids = [BOS, *self._pieces.ids(prefix + text[:MAX_CHARACTERS])[: MAX_TOKENS - 2], EOS]
        tokens = dequantised(self._tokens[ids])[np.newaxis]
        mask = np.ones((1, len(ids)), dtype=np.int64)
        found: Vectors = self._session.run(None, {"tokens": tokens, "attention_mask": mask})[0][0]
        return found
