"""Recipes: named combinations of signals, weights and fusion.

Measured on LoCoMo (turn level, categories 1-4, five conversations), R@10 / nDCG@10 in percent: own
words and meaning 68.7/53.9, with those of the window 79.6/62.5, with the first of several named
agents 80.0/62.8, with b = .4 in BM25 80.6/64.2, with half a point off for questions 81.3/64.9: the
default. (Three conversations were looked at in the choice, the other two gave 78.9/63.6.) Ranks of
two signals are worse than the words alone: a rank forgets how much better one is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from types import MappingProxyType

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.recall import RecallRequest

__all__ = [
    "AGENT",
    "DATE",
    "DENSE",
    "LEXICAL",
    "PHRASE",
    "QUESTION",
    "RECENCY",
    "RECIPES",
    "WINDOW_DENSE",
    "WINDOW_LEXICAL",
    "Fusion",
    "Recipe",
    "recipe_for",
    "recipe_named",
]

DENSE = "dense"
"""Cosine similarity of the query and the memory."""
LEXICAL = "lexical"
"""BM25 of the query's words in the memory."""
WINDOW_DENSE = "window_dense"
"""Cosine similarity of the query and what was said around the memory."""
WINDOW_LEXICAL = "window_lexical"
"""BM25 of the query's words in what was said around the memory."""
AGENT = "agent"
"""1 if the query names exactly one agent and the memory is theirs, else 0."""

QUESTION = "question"
"""1 if the memory is a question, which answers none, unless a user asks it, else 0."""
DATE = "date"
"""1 if the query names a date and the memory is of it, else 0."""
RECENCY = "recency"
"""When it occurred, in seconds since 1970."""
PHRASE = "phrase"
"""The same, of a memory that says the query's words in their order; nothing of any other."""


class Fusion(StrEnum):
    """How signals become one score."""

    ZSCORE = "zscore"
    RRF = "rrf"
    LINEAR = "linear"
    COMBMNZ = "combmnz"
    BORDA = "borda"
    LEARNED = "learned"
    """Features weighed by learned weights: instead of the recipe's own, where it says so."""
    NONE = "none"
    """One signal alone: its raw score is the score."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which signals are asked, what each one weighs, and how they are fused.

    `agent_bonus` is added, unfused, to the memories of the one agent whom the query names, and
    `date_bonus` to those of a date that it names; `question_malus` is taken from questions. What
    scores below `min_score` is not returned; None keeps all that have any evidence: a word of
    the query, or a cosine of at least `min_similarity`.
    """

    name: str
    weights: Mapping[str, float]
    fusion: Fusion
    agent_bonus: float = 0.0
    date_bonus: float = 0.0
    question_malus: float = 0.0
    learned: bool = False
    """Whether learned weights rank instead, where most candidates were said in sessions."""
    # Scoring the union of the best 50 of each signal gave 1.2 points of R@10 over scoring all.
    candidates: int = 50
    min_score: float | None = None
    # Unrelated texts lie between -0.1 and 0.1 for MiniLM.
    min_similarity: float = 0.1
    rrf_k: int = 60

    def signal_weights(self) -> dict[str, float]:
        """Return every weight by signal name, the bonuses included, for a trace."""
        bonuses = {
            AGENT: self.agent_bonus,
            DATE: self.date_bonus,
            QUESTION: -self.question_malus,
        }
        return {**self.weights, **{name: bonus for name, bonus in bonuses.items() if bonus}}

    @property
    def is_fused(self) -> bool:
        """Whether it weighs several signals against each other."""
        return self.fusion is not Fusion.NONE

    @property
    def is_walked(self) -> bool:
        """Whether its pages go on to the last memory that answers: one signal has one order."""
        return self.fusion is Fusion.NONE

    @property
    def is_listed(self) -> bool:
        """Whether it goes by what the rows say, and compares nothing."""
        return RECENCY in self.weights or PHRASE in self.weights

    def limit(self, signal: str, request: RecallRequest) -> int:
        """Return how many candidates `signal` brings for a page: 0 if unused.

        Walked, one more than the page needs: it says whether there is another page.
        """
        if signal not in self.weights:
            return 0
        wanted = request.offset + request.k + 1 if self.is_walked else request.depth
        return max(self.candidates, wanted)


_FOUR = MappingProxyType(dict.fromkeys((DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL), 0.25))

_FUSED = Recipe("fused", _FOUR, Fusion.ZSCORE, agent_bonus=1.0, date_bonus=1.0, question_malus=0.5)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            replace(_FUSED, name="default", learned=True),
            Recipe("rrf", MappingProxyType({DENSE: 1.0, LEXICAL: 1.0}), Fusion.RRF),
            Recipe("lexical", MappingProxyType({LEXICAL: 1.0}), Fusion.NONE),
            Recipe("dense", MappingProxyType({DENSE: 1.0}), Fusion.NONE),
            Recipe("recent", MappingProxyType({RECENCY: 1.0}), Fusion.NONE, min_similarity=-inf),
            Recipe("exact", MappingProxyType({PHRASE: 1.0}), Fusion.NONE, min_similarity=-inf),
            _FUSED,
            Recipe("linear", _FOUR, Fusion.LINEAR),
            Recipe("combmnz", _FOUR, Fusion.COMBMNZ),
            Recipe("borda", _FOUR, Fusion.BORDA),
        )
    }
)


def recipe_named(name: str) -> Recipe:
    """Return the recipe called `name`, or raise InvalidInput naming the choices."""
    recipe = RECIPES.get(name)
    if recipe is None:
        raise InvalidInput(f"unknown recipe {name!r}; choose one of: {', '.join(RECIPES)}")
    return recipe


def recipe_for(request: RecallRequest) -> Recipe:
    """Return the recipe that a request names, with its own `rrf_k`; raises InvalidInput."""
    recipe = recipe_named(request.recipe)
    if not request.query and RECENCY not in recipe.weights:
        raise InvalidInput(f"recipe {recipe.name!r} needs a query; only 'recent' goes without")
    if request.min_relevance is not None and RECENCY in recipe.weights:
        raise InvalidInput(f"recipe {recipe.name!r} compares nothing, so it takes no min_relevance")
    if request.rrf_k is None:
        return recipe
    if recipe.fusion is not Fusion.RRF:
        raise InvalidInput(f"recipe {recipe.name!r} does not fuse ranks, so it takes no rrf_k")
    return replace(recipe, rrf_k=request.rrf_k)
