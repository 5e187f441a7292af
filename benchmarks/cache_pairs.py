"""Pairs of questions that differ in one thing that must not differ, and what the cache answers.

Everything here is the same in every run.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from pinak_ray.recall.cache.answers import CacheKey, CachePolicy, RecallCache
from pinak_ray.records.memory.recall import RecallResult, new_recall
from pinak_ray.store.vectors.generations import Generation

__all__ = ["differing", "wrong_answers"]

_EACH = 300
_NOW = Generation(1, datetime(2026, 1, 1, 12, tzinfo=UTC))
_FORMS = (
    "what caused {}?", "Is {} still open?", "please tell me who owns {}", "when did {} fail?",
    "how do I restart {}?", "Where does {} live?", "why was {} moved?", "show me the plan of {}",
)  # fmt: skip
_NAMES = ("Ada", "Bob", "Zoë", "Will", "May", "Mark", "Ibrahim", "Олег", "王芳", "Grace", "Ingrid")
_DATES = ("2026-03-01", "2026-03-02", "1 May", "2 May", "last week", "the last week", "Friday")
_SIGNS = ("数据备份", "検索停止", "резервная копия", "🚀", "💥", "नौका", "البرج", "백업")
_DENIALS = (
    ("is it allowed to stop {}?", "is it not allowed to stop {}?"),
    ("can {} be shared?", "can't {} be shared?"), ("what runs on {}?", "what never runs on {}?"),
    ("how do I enable {}?", "how do I disable {}?"), ("who has {}?", "who has no {}?"),
)  # fmt: skip
_CASES = (("mW", "MW"), ("go", "Go"), ("us-east", "US-East"), ("polish", "Polish"), ("ram", "RAM"))


def differing() -> Iterator[tuple[str, str, str]]:
    """Yield the kind of what differs, and the two questions: 300 a kind."""
    source = random.Random(0)
    for _ in range(_EACH):
        form, number = source.choice(_FORMS), source.randrange(10, 100_000)
        one, other = source.sample(_NAMES, 2)
        yield "number", form.format(f"port {number}"), form.format(f"port {number + 1}")
        said, part = f"INC-{number}-{source.choice('abcd')}", source.choice("wxyz")
        yield "identifier", form.format(said), form.format(said[:-1] + part)
        yield "name", form.format(f"the rig of {one}"), form.format(f"the rig of {other}")
        yield "order", form.format(f"{one} and {other}"), form.format(f"{other} and {one}")
        first, second = source.sample(_DATES, 2)
        yield (
            "date",
            form.format(f"job {number} on {first}"),
            form.format(f"job {number} on {second}"),
        )
        says, denies = source.choice(_DENIALS)
        yield "denial", says.format(f"pump {number}"), denies.format(f"pump {number}")
        lower, upper = source.choice(_CASES)
        yield "case", form.format(f"{number} {lower}"), form.format(f"{number} {upper}")
        these, those = source.sample(_SIGNS, 2)
        yield "script", form.format(f"{these} {number}"), form.format(f"{those} {number}")


def wrong_answers() -> tuple[Counter[str], Counter[str]]:
    """Return by kind how many pairs were asked, and how many of them shared an answer."""
    asked, wrong = Counter[str](), Counter[str]()
    for kind, *pair in differing():
        for one, other in (pair, pair[::-1]):
            cache = RecallCache(CachePolicy())
            first, second = (CacheKey(1, 1, new_recall(text)) for text in (one, other))
            cache.put(first, RecallResult(()), read=_NOW, holds_until=None)
            assert cache.get(first, _NOW) is not None
            wrong[kind] += cache.get(second, _NOW) is not None
        asked[kind] += 1
    return asked, wrong
