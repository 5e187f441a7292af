"""Which texts the model knows: words of a hundred languages, neither other scripts nor noise."""

from unicodedata import category

from pinak_ray.embedding.e5.pieces import UNKNOWN, Pieces

__all__ = ["is_known"]

# A longer one is a key, a picture or a mistake.
_LONGEST_WORD = 100
# Words of the model's alphabets have 2.3 to 4 letters a piece, code and identifiers among them;
# letters that were struck at random 1.0 to 1.4. Signs of other scripts are words by themselves.
_LETTERS_A_PIECE = 1.5
# Of less nobody can tell: `nginx` and `k8s` are cut small too.
_JUDGED_FROM = 10


def is_known(pieces: Pieces, text: str) -> bool:
    """Tell whether at least two in three letters of a text are in words that the model knows."""
    said = "".join(" " if category(sign)[0] == "S" else sign for sign in text)
    known = unknown = cased = cut = 0
    for word in pieces.words(said):
        letters = sum(map(str.isalnum, word))
        if not letters:
            continue
        ids = pieces.cut(word)
        if UNKNOWN in ids or (len(word) > _LONGEST_WORD and _is_cased(word)):
            unknown += letters
            continue
        known += letters
        if _is_cased(word):
            cased += letters
            cut += len(ids) - pieces.is_blank(ids[0])
    if known < 2 * unknown or not known:
        return False
    return cased < _JUDGED_FROM or cased >= _LETTERS_A_PIECE * cut


def _is_cased(word: str) -> bool:
    return word.lower() != word.upper()
