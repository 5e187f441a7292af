"""What of a query and a memory tells whether the one answers the other: nothing of the corpus.

Every feature is the same for a memory that stands alone and for one among a million.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pinak_ray.language.analysis import query_terms
from pinak_ray.language.named_agents import named_agent
from pinak_ray.recall.fusion import Scores, known_or
from pinak_ray.records.memory.rows import Row

__all__ = ["FEATURES", "OF_MEANING", "Question", "features", "question_of"]

FEATURES = (
    "bias", "own_cosine", "window_cosine", "cover", "cover_squared", "all_words", "phrase",
    "missing_numbers", "missing_names", "other_agent", "named_agent", "one_term", "no_term",
    "small_talk", "cosine_and_cover", "asks", "dated", "cosine_squared", "window_squared",
)  # fmt: skip

OF_MEANING = frozenset({
    "own_cosine", "window_cosine", "cosine_and_cover", "cosine_squared", "window_squared",
})  # fmt: skip
"""Those that need vectors."""

# Beyond it a memory is about many things, and has any word.
_LOOKED_AT = 4_000
_TERMS = 32
# Stems of what is said to be polite: every conversation has it, and it asks for none of it.
SMALL_TALK = frozenset({
    "hello", "hi", "hey", "thank", "bye", "goodby", "good", "morn", "afternoon", "even", "night",
    "ok", "okay", "yes", "no", "sure", "great", "cool", "nice", "welcom", "pleas", "sorri", "today",
    "lol", "haha", "wow", "hmm", "yo", "test", "ping",
})  # fmt: skip
_MARKS = bytes(ord(" ") if byte < 128 and not chr(byte).isalnum() else byte for byte in range(256))
# Beyond ASCII: quotation marks, dashes, and the points of scripts that part no words.
_FURTHER_MARKS = re.compile("[’‘“”…–—。，、？！：；「」]")
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z][a-z]+\b")


class Question(NamedTuple):
    """A query, looked at once for all its candidates."""

    query: str
    text: bytes
    terms: tuple[str, ...]
    hard: tuple[str, ...]
    """Those with a digit: another number is another thing."""
    names: tuple[str, ...]
    is_small_talk: bool


def question_of(query: str) -> Question:
    """Return a query's terms, and those of them that must not be others."""
    terms = list(dict.fromkeys(term.lower() for term in query_terms(query)))[:_TERMS]
    hard = tuple(term for term in terms if any(map(str.isdigit, term)))
    names = tuple(dict.fromkeys(name.lower() for name in _NAME.findall(query)))
    text = b" %b " % b" ".join(_plain(query).split())
    return Question(query, text, tuple(terms), hard, names, SMALL_TALK.issuperset(terms))


def features(
    question: Question,
    rows: Sequence[Row],
    own: Scores,
    window: Scores,
    *,
    asks: Scores,
    dated: Scores,
) -> npt.NDArray[np.float64]:
    """Return each candidate's features, shape (n, len(FEATURES)).

    `own` and `window` are cosines in the model's scale, NaN where there is none; `asks` and `dated`
    are 1 for a mere question and for a memory of the date that the query names, else 0.
    """
    said = [_plain(row["content"][:_LOOKED_AT]) for row in rows]
    agents = [row["agent"] for row in rows]
    named = named_agent(question.query, agents)
    names = {agent: _plain(agent) for agent in set(agents)}
    by = [names[agent] for agent in agents]
    cover = _shares(question.terms, said, by, 0.0)
    known, around = known_or(own, 0.0), known_or(window, 0.0)
    around = np.maximum(around, known)
    asked = question.text.split()
    phrase = [
        share >= 1.0 and len(asked) > 1 and question.text in b" %b " % b" ".join(text.split())
        for share, text in zip(cover, said, strict=True)
    ]
    columns = [
        np.ones(len(rows)),
        known,
        around,
        cover,
        cover**2,
        cover >= 1.0,
        phrase,
        1.0 - _shares(question.hard, said, by, 1.0),
        (1.0 - _shares(question.names, said, by, 1.0)) * (named is None),
        [named is not None and agent != named for agent in agents],
        [named is not None and agent == named for agent in agents],
        np.full(len(rows), len(question.terms) == 1),
        np.full(len(rows), not question.terms),
        np.full(len(rows), question.is_small_talk),
        around * cover,
        asks,
        dated,
        known**2,
        around**2,
    ]
    return np.column_stack([np.asarray(each, dtype=np.float64) for each in columns])


def _plain(text: str) -> bytes:
    """Return a text in lower case (UTF-8), blanks for its marks, and one at both ends.

    By bytes: a fifth of the time that letters take.
    """
    plain = text if text.isascii() else _FURTHER_MARKS.sub(" ", text)
    return b" %b " % plain.lower().encode().translate(_MARKS)


def _shares(
    terms: Sequence[str], said: Sequence[bytes], by: Sequence[bytes], none: float
) -> npt.NDArray[np.float64]:
    """Return which share of the terms begins a word of each text, or of its agent's name."""
    if not terms:
        return np.full(len(said), none)
    sought = [_beginning(term) for term in terms]
    named = {name: {term for term in sought if term in name} for name in set(by)}
    return np.array(
        [
            sum([term in text or term in named[name] for term in sought]) / len(sought)
            for text, name in zip(said, by, strict=True)
        ]
    )


def _beginning(term: str) -> bytes:
    """Return how a word of this stem begins; a sign of a script that parts no words, itself."""
    plain = b" ".join(_plain(term).split())
    plain = plain[:-1] if plain.endswith(b"i") and len(plain) > 3 else plain
    return b" " + plain if term.isascii() else plain
