"""The tokenizer: a text as the pieces whose scores have the highest sum, by their numbers.

The unigram model of Kudo, "Subword Regularization" (2018), as SentencePiece and `tokenizers` have
it; a test compares the numbers with theirs. Theirs keeps a quarter of a million pieces in a tree of
300 MB that takes 1.8 s to grow, in each of the four or five processes that embed: ours is a
dictionary of 50 MB, there in a fifth of the time. Words come again, so that they are looked up.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from tokenizers import Regex, normalizers

__all__ = ["BOS", "EOS", "UNKNOWN", "Pieces", "load_pieces", "save_pieces"]

BOS, EOS, UNKNOWN = 0, 2, 3
_SPECIAL = 4
_BLANK = "▁"
# Below the worst piece, as the model was trained with.
_UNKNOWN_BELOW = 10.0
# A language's words in use; of unbroken scripts a "word" is a clause, which does not come again.
_WORDS = 16_384
_LONGEST_KEPT = 32


class Pieces:
    """Cuts texts. Pieces are numbered as they come; the first four stand for no text."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float]) -> None:
        self._ids = {piece: at for at, piece in enumerate(pieces) if at >= _SPECIAL}
        self._blank = self._ids[_BLANK]
        self._scores = scores
        self._unknown = min(scores) - _UNKNOWN_BELOW
        self._longest: dict[str, int] = {}
        for piece in self._ids:
            first = piece[0]
            self._longest[first] = max(self._longest.get(first, 0), len(piece))
        # The wheel maps single characters; NFKC is that map, and composes accents as the model's
        # own tokenizer does.
        self.normalizer = normalizers.Sequence(
            [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
        )
        self._known_words = lru_cache(maxsize=_WORDS)(self._cut)

    def ids(self, text: str) -> list[int]:
        """Return the numbers of a text's pieces; what no piece says is `UNKNOWN`, once a run."""
        found: list[int] = []
        for word in self.words(text):
            found += self.cut(word)
        return found

    def words(self, text: str) -> Iterator[str]:
        """Return the words of a text in its normal form, each behind the sign of a blank."""
        said: str = self.normalizer.normalize_str(text)
        for word in said.removeprefix(" ").split(" "):
            yield _BLANK + word

    def cut(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the pieces of one of `words`."""
        return (self._known_words if len(word) <= _LONGEST_KEPT else self._cut)(word)

    def is_blank(self, piece: int) -> bool:
        """Tell whether a piece stands for the blank before a word alone."""
        return piece == self._blank

    def _cut(self, word: str) -> tuple[int, ...]:
        """Cut one word, by the best way to each of its places (Viterbi)."""
        ends = len(word)
        best, starts, ids = [-np.inf] * (ends + 1), [0] * (ends + 1), [UNKNOWN] * (ends + 1)
        best[0] = 0.0
        for start in range(ends):
            so_far, first = best[start], word[start]
            if (score := so_far + self._unknown) > best[start + 1]:
                best[start + 1], starts[start + 1], ids[start + 1] = score, start, UNKNOWN
            for end in range(start + 1, min(start + self._longest.get(first, 0), ends) + 1):
                piece = self._ids.get(word[start:end])
                if piece is not None and (score := so_far + self._scores[piece]) > best[end]:
                    best[end], starts[end], ids[end] = score, start, piece
        found: list[int] = []
        at = ends
        while at > 0:
            if not (ids[at] == UNKNOWN and found and found[-1] == UNKNOWN):
                found.append(ids[at])
            at = starts[at]
        return tuple(reversed(found))


def save_pieces(path: Path, pieces: Sequence[tuple[str, float]]) -> None:
    """Write the pieces and their scores as two arrays, which hold no objects."""
    said = "\0".join(piece for piece, _ in pieces).encode()
    scores = np.array([score for _, score in pieces], dtype="<f4")
    with path.open("wb") as file:
        np.savez(file, pieces=np.frombuffer(said, dtype=np.uint8), scores=scores)


def load_pieces(path: Path) -> Pieces:
    """Return the tokenizer of `save_pieces`; raises ValueError or KeyError for another file."""
    with np.load(path, allow_pickle=False) as saved:
        said, scores = saved["pieces"].tobytes().decode(), saved["scores"].tolist()
    return Pieces(said.split("\0"), scores)
