"""What the cache's benchmark asks: some queries often, most of them seldom, and in other words.

Everything here is the same in every run.
"""

import random
import re
from collections.abc import Callable, Sequence

from benchmarks.datasets import Corpus, Entry, Query

__all__ = ["generated", "paraphrased", "repeated"]

_STOP_WORDS = re.compile(
    r"\b(?:an?|the|is|are|was|were|be|been|do|does|did|has|have|had|of|to|for|with|at|by|that|this"
    r"|its?|their|his|her|our|your|my)\b\s*",
    re.IGNORECASE,
)
_QUESTION_WORDS = (
    (r"^How many\b", "What number of"),
    (r"^How long\b", "For what length of time"),
    (r"^When\b", "On what date"),
    (r"^Where\b", "In what place"),
    (r"^Who\b", "Which person"),
    (r"^Why\b", "For what reason"),
    (r"^Which\b", "What"),
    (r"^What\b", "Which"),
)
_TAIL = re.compile(r"^(.+\s.+?)\s((?:in|on|during|after|before|at|when|while)\s.+?)([?.!]*)$")

_PEOPLE = ("Ada", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gina", "Hugo")
_ACTS = ("rolled back", "migrated", "restarted", "audited", "scaled", "deleted", "patched")
_THINGS = ("the orders table", "the billing cluster", "the search index", "the load balancer")
_MORE_THINGS = ("the payment queue", "the login service", "the image registry", "the job runner")
_PLACES = ("in Oslo", "in Lima", "in Cairo", "in Osaka", "in staging", "in production")
_REASONS = ("a full disk", "an expired certificate", "a slow query", "a memory leak", "an audit")


def repeated(queries: Sequence[Query], count: int, seed: int) -> list[Query]:
    """Return a load of `count` queries, the r-th of them in a drawn order 1/r as often (Zipf)."""
    source = random.Random(seed)
    ranked = source.sample(queries, len(queries))
    return source.choices(ranked, [1 / rank for rank in range(1, len(ranked) + 1)], k=count)


def paraphrased(query: str, way: int) -> str:
    """Return a query in other words; `way` counts through the ways of saying it otherwise.

    A way that leaves the query as it is gives way to the next one.
    """
    for turn in range(len(_WAYS)):
        said = _WAYS[(way + turn) % len(_WAYS)](query)
        if said != query:
            return said
    return query


def generated(count: int = 600) -> Corpus:
    """Return a corpus of short reports, and a question about each of some."""
    source = random.Random(0)
    entries: list[Entry] = []
    queries: dict[str, set[str]] = {}
    for number in range(count):
        who, act, where = (source.choice(each) for each in (_PEOPLE, _ACTS, _PLACES))
        thing, reason = source.choice(_THINGS + _MORE_THINGS), source.choice(_REASONS)
        key = str(number)
        said = f"{who} {act} {thing} {where} because of {reason}, change {1000 + number}"
        entries.append(Entry(key, who, said))
        queries.setdefault(f"Why was it that {who} {act} {thing} {where}?", set()).add(key)
    asked = tuple(Query(text, frozenset(keys)) for text, keys in queries.items())
    return Corpus("generated", "reports", tuple(entries), asked[: count // 3])


def _without_stop_words(query: str) -> str:
    return _STOP_WORDS.sub("", query).strip()


def _with_other_question_word(query: str) -> str:
    for pattern, other in _QUESTION_WORDS:
        said, changed = re.subn(pattern, other, query, flags=re.IGNORECASE)
        if changed:
            return said
    return query


def _tail_first(query: str) -> str:
    found = _TAIL.match(query)
    if found is None:
        return query
    head, tail, end = found.groups()
    return f"{tail[0].upper()}{tail[1:]}, {head[0].lower()}{head[1:]}{end}"


def _polite(query: str) -> str:
    return f"Can you tell me {query[0].lower()}{query[1:]}"


def _typed_in_haste(query: str) -> str:
    return re.sub(r"[^\w\s]", "", query).lower()


_WAYS: tuple[Callable[[str], str], ...] = (
    _without_stop_words,
    _with_other_question_word,
    _tail_first,
    _polite,
    _typed_in_haste,
)
