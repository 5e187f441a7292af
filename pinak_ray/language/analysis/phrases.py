"""Phrases: what `exact` looks for, and the terms that each text which holds it must have."""

from collections.abc import Collection, Iterator
from typing import NamedTuple, TypeAlias

from pinak_ray.language.analysis.folding import folded, literal
from pinak_ray.language.analysis.runs import RUN, RunTerms, pairs, sign_terms

__all__ = ["Phrase", "phrase_of"]

_Choice: TypeAlias = tuple[tuple[str, ...], ...]
# More of them make a search no narrower.
_MOST_CHOICES = 32
_MOST_PAIRS = 32


class Phrase(NamedTuple):
    """A literal, and what narrows the search for it.

    Of each choice a text must have all terms of one alternative.
    """

    literal: str
    choices: tuple[_Choice, ...]

    def may_be_in(self, terms: Collection[str]) -> bool:
        """Tell whether a text of these terms may hold the literal; False: it does not."""
        return all(
            any(all(term in terms for term in alternative) for alternative in choice)
            for choice in self.choices
        )


def phrase_of(text: str, runs: RunTerms) -> Phrase:
    """Return what is looked for.

    The law that holds: a text that holds the literal from the border of a word, a sign or a part of
    an identifier to another one has the terms. What stands in a run's place at either end may be a
    part of a longer one, so that the run's parts are an alternative to the whole.
    """
    choices: dict[_Choice, None] = {}
    for found in RUN.finditer(folded(text)):
        choice = tuple(filter(None, _choice(str(found.lastgroup), found[0], runs)))
        if choice:
            choices[choice] = None
        if len(choices) == _MOST_CHOICES:
            break
    return Phrase(literal(text), tuple(choices))


def _choice(kind: str, run: str, runs: RunTerms) -> Iterator[tuple[str, ...]]:
    if kind == "word":
        yield from runs.alternatives(run)
    elif len(run) > 1:
        yield tuple(dict.fromkeys(pairs(run[: _MOST_PAIRS + 1])))
    elif kind == "hangul" or run in sign_terms(run * 2):
        yield (run,)
