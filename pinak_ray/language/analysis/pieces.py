"""The terms of a piece of text between blanks, and those that were seen before."""

from collections.abc import Iterator
from itertools import chain

from pinak_ray.language.analysis.folding import folded
from pinak_ray.language.analysis.identifiers import compounds
from pinak_ray.language.analysis.runs import RUN, RunTerms, hangul_terms, sign_terms
from pinak_ray.language.analysis.symbols import symbols

__all__ = ["Pieces"]

# Some 4 MB for a set of languages.
_MOST = 10_000
_LONGEST = 48
_AROUND = "()[]{},;:!?\"'"


class Pieces(dict[str, tuple[str, ...]]):
    """By piece its terms, made when they are asked for; the newest 10 to 20 thousand are held."""

    __slots__ = ("_older", "_runs")

    def __init__(self, runs: RunTerms) -> None:
        super().__init__()
        self._runs = runs
        self._older: dict[str, tuple[str, ...]] = {}

    def __missing__(self, piece: str) -> tuple[str, ...]:
        found = self._older.get(piece)
        if found is None:
            found = tuple(filter(None, self._terms(folded(piece))))
        if len(piece) <= _LONGEST:
            if len(self) >= _MOST:
                self._older = dict(self)
                self.clear()
            self[piece] = found
        return found

    def _terms(self, text: str) -> Iterator[str]:
        word = text.rstrip(".").strip(_AROUND)
        if word.isascii() and word.isalpha():
            yield from self._runs.run(word)
            return
        had: set[str] = set()
        for found in RUN.finditer(text):
            for term in self._of_run(str(found.lastgroup), found[0]):
                had.add(term)
                yield term
        for extra in chain(compounds(text), symbols(text)):
            term = self._runs.whole(extra)
            if term not in had:
                had.add(term)
                yield term

    def _of_run(self, kind: str, run: str) -> Iterator[str]:
        match kind:
            case "signs":
                return sign_terms(run)
            case "hangul":
                return hangul_terms(run)
            case _:
                return self._runs.run(run)
