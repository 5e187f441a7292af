"""What is asked of a corpus to see what relevance tells: what it answers, and what it cannot."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.datasets import Corpus

__all__ = ["Asked", "foreign_to", "questions"]

_FOREIGN = 40
_ITSELF = 20
_NONSENSE = (
    *("PHRASE NOWHERE QQQQ ZZXX", "asdf qwer zxcv", "xyzzy plugh frobnicate", "zzz qqq www"),
    *("flibber gribble nonk", "lorem ipsum dolor sit amet", "hello, how are you today?", "thanks!"),
    *("good morning", "are you there?", "ok", "tell me a joke", "sing me a song"),
    *("what is the capital of France?", "what is the speed of light in vacuum?"),
    *("who won the world cup in 1998?", "how do I boil an egg?", "who painted the Mona Lisa?"),
    *("what's the square root of 144?", "how tall is mount Everest?", "who wrote Don Quixote?"),
    *("when did the Roman empire fall?", "what does photosynthesis produce?"),
    *("what is the boiling point of mercury?", "how many moons has Jupiter?"),
    "translate cat into Spanish",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, of what kind it is, and the keys of the entries that answer it."""

    kind: str
    text: str
    relevant: frozenset[str]


def questions(corpus: Corpus, foreign: Sequence[str]) -> Iterator[Asked]:
    """Yield a corpus's own questions, others', nonsense, and entries as they are."""
    source = random.Random(corpus.namespace)
    for query in corpus.queries:
        yield Asked("answerable", query.text, query.relevant)
    for text in corpus.unanswerable:
        yield Asked("unanswerable", text, frozenset())
    for text in source.sample(foreign, min(_FOREIGN, len(foreign))):
        yield Asked("foreign", text, frozenset())
    for text in _NONSENSE:
        yield Asked("nonsense", text, frozenset())
    for entry in source.sample(corpus.entries, min(_ITSELF, len(corpus.entries))):
        same = frozenset(each.key for each in corpus.entries if each.content == entry.content)
        if len(entry.content.encode()) <= 8_000:
            yield Asked("itself", entry.content, same)


def foreign_to(corpus: Corpus, others: Sequence[Corpus]) -> list[str]:
    """Return the questions of other data than the corpus's own."""
    own = {entry.content for entry in corpus.entries}
    strangers = (each for each in others if own.isdisjoint(e.content for e in each.entries))
    return [query.text for each in strangers for query in each.queries]
