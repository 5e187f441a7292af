"""Any number of English-like sentences, with vectors that lie as real ones do, and questions.

Embedding a million texts takes most of an hour here. So some are embedded in fact, and every row is
a variant of one of them: a third of its words is drawn anew, and its vector is moved by gaussian
noise with the covariance that this very change has on real vectors, as measured on some.

How hard that makes the nearest neighbours, of 200 questions: among 4,000 variants of as many bases
the tenth nearest has cosine .31 and the local intrinsic dimension is 48; among as many sentences
that were really changed and embedded .34 and 43. Ten variants of one base lie at .59 from each
other, real ones at .48.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from benchmarks.report import progress
from pinak_ray.embedding import Embedder, Vectors, encode_halfvec

__all__ = ["Corpus", "Row", "english_words"]

BASES = 10_000
# Their rank bounds that of the noise: 384 numbers a vector, and fewer matter.
_DEVIATIONS = 256
_REDRAWN = 1 / 3
_SENTENCE_WORDS = (10, 36)
_QUERY_WORDS = (5, 10)
# Mandelbrot's offset for English: the commonest word is a 25th of a text, not a tenth.
_OFFSET = 2.7
_EMBEDDED_AT_ONCE = 256

WordIds = npt.NDArray[np.intp]


class Row(NamedTuple):
    """One memory to be: what it says, and its vector in halfvec form."""

    content: str
    vector: bytes


def english_words(tokenizer: Path) -> list[str]:
    """Return the whole words that the model's tokenizer knows, commonest first: about 22,000."""
    vocabulary: dict[str, int] = json.loads(tokenizer.read_bytes())["model"]["vocab"]
    words = (word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 1)
    return sorted(words, key=vocabulary.__getitem__)


@dataclass(frozen=True, slots=True)
class _Language:
    """Words, drawn by Zipf's law."""

    words: list[str]
    up_to: npt.NDArray[np.float64]
    """The share of all text that the words up to and with each make up."""

    @classmethod
    def of(cls, words: list[str]) -> Self:
        weights = 1 / (np.arange(len(words)) + 1 + _OFFSET)
        return cls(words, np.cumsum(weights) / weights.sum())

    def draw(self, source: np.random.Generator, shape: tuple[int, ...]) -> WordIds:
        return np.minimum(np.searchsorted(self.up_to, source.random(shape)), len(self.words) - 1)

    def text(self, ids: WordIds) -> str:
        return " ".join([self.words[at] for at in ids.tolist()])


@dataclass(frozen=True, slots=True)
class Corpus:
    """Base sentences (n, longest) with their lengths and real vectors, and how variants deviate."""

    language: _Language
    sentences: WordIds
    lengths: WordIds
    vectors: Vectors
    deviations: Vectors

    @classmethod
    async def make(cls, embedder: Embedder, words: list[str], *, bases: int = BASES) -> Self:
        """Draw and embed the bases, the same ones each time."""
        language = _Language.of(words)
        source = np.random.default_rng(1)
        lengths = source.integers(*_SENTENCE_WORDS, size=bases)
        sentences = language.draw(source, (bases, _SENTENCE_WORDS[1]))
        changed = _redrawn(language, sentences[:_DEVIATIONS], source)
        vectors = await _embed(embedder, _texts(language, sentences, lengths))
        moved = await _embed(embedder, _texts(language, changed, lengths))
        return cls(language, sentences, lengths, vectors, moved - vectors[: len(moved)])

    def batches(self, rows: int, size: int, seed: int) -> Iterator[list[Row]]:
        """Yield `rows` variants, at most `size` at a time."""
        source = np.random.default_rng(seed)
        for start in range(0, rows, size):
            yield self._variants(min(size, rows - start), source)

    def queries(self, seed: int) -> Iterator[str]:
        """Yield questions for ever: some words of a base each, in their order.

        Each base has its turn, so that none is like another: a cache would answer that one.
        """
        source = np.random.default_rng(seed)
        while True:
            for base in source.permutation(len(self.sentences)):
                count = source.integers(*_QUERY_WORDS)
                places = np.sort(source.choice(self.lengths[base], count, replace=False))
                yield self.language.text(self.sentences[base][places])

    def _variants(self, count: int, source: np.random.Generator) -> list[Row]:
        bases = source.integers(len(self.sentences), size=count)
        words = _redrawn(self.language, self.sentences[bases], source)
        noise = source.standard_normal((count, len(self.deviations)), dtype=np.float32)
        vectors = self.vectors[bases] + noise @ self.deviations / np.sqrt(len(self.deviations))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        texts = _texts(self.language, words, self.lengths[bases])
        return [Row(*each) for each in zip(texts, encode_halfvec(vectors), strict=True)]


def _redrawn(language: _Language, sentences: WordIds, source: np.random.Generator) -> WordIds:
    """Return the sentences with a share of their words drawn anew."""
    changes = source.random(sentences.shape) < _REDRAWN
    return np.where(changes, language.draw(source, sentences.shape), sentences)


def _texts(language: _Language, sentences: WordIds, lengths: WordIds) -> list[str]:
    return [language.text(ids[:length]) for ids, length in zip(sentences, lengths, strict=False)]


async def _embed(embedder: Embedder, texts: list[str]) -> Vectors:
    parts = []
    for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
        parts.append(await embedder.embed(texts[start : start + _EMBEDDED_AT_ONCE]))
        if start % (16 * _EMBEDDED_AT_ONCE) == 0:
            progress(f"embedded {start:,} of {len(texts):,} sentences")
    return np.concatenate(parts)
