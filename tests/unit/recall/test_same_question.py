"""Which questions share an answer: those that ask the same, and no others."""

from datetime import UTC, datetime

import pytest

from pinak_ray.recall.cache.answers import CacheKey, CachePolicy, RecallCache
from pinak_ray.recall.cache.same_question import essence
from pinak_ray.records.memory.recall import RecallResult, new_recall
from pinak_ray.store.vectors.generations import Generation
from tests.support.different_questions import KINDS, pairs

NOW = Generation(1, datetime(2026, 3, 1, 12, tzinfo=UTC))
MANY = 2_000


def answered(asked: str, other: str) -> bool:
    """Tell whether the answer to one question is given to another."""
    held = RecallCache(CachePolicy())
    held.put(CacheKey(1, 1, new_recall(asked)), RecallResult(()), read=NOW, holds_until=None)
    return held.get(CacheKey(1, 1, new_recall(other)), NOW) is not None


def test_no_question_is_answered_with_anothers_answer() -> None:
    """Of 2,000 pairs that differ in a number, a name, a denial, ... none shares an answer."""
    tried = list(pairs(MANY))
    assert len({one for _, one, _ in tried}) > MANY / 3
    assert {kind for kind, *_ in tried} == set(KINDS)
    wrong = [each for each in tried if answered(*each[1:]) or answered(*reversed(each[1:]))]
    assert not wrong


def test_every_kind_holds_in_every_politeness() -> None:
    """What asks nothing hides no difference: each pair differs also where only one is polite."""
    for kind, one, other in pairs(MANY // 4):
        assert essence(f"Please tell me {one}, thanks.") != essence(other), (kind, one, other)


@pytest.mark.parametrize(
    "asked",
    [
        "What caused ticket INC-10234?",
        "what did ada decide?",
        "数据备份失败了吗?",
        "the 🚀 note",
        "does orders call billing?",
        "how many mW does it draw?",
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "{}", "Please tell me {}", "could you please tell me {}", "Can you tell me {}, please?",
        "{}, thanks", "  {}  ", "please {}", "Show me {}.", "{}？",
        "Would you show me {}, thank you.",
    ],
)  # fmt: skip
def test_politeness_and_marks_ask_nothing(asked: str, form: str) -> None:
    """The same question in another form has the same answer."""
    first = asked[0].lower() + asked[1:]
    assert answered(asked, form.format(first.rstrip("?")))


def test_spacing_and_typography_ask_nothing() -> None:
    """Blanks, typographic quotes and composed letters differ by who typed."""
    assert answered("What's  “orders”\nfor?", 'What\'s "orders" for')
    assert answered("what did Müller say", "what did Mu\u0308ller say?")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ls ?", "ls"), ("git diff a..", "git diff a"), ("what is 5!", "what is 5"),
        ("please", "x"),
        ("who said please", "who said"), ("1,5 kg", "15 kg"), ("cd ..", "cd"),
        ("tell me", "show me"),
        ("Will may deploy", "will may deploy"), ("x = -1", "x = 1"), ("a  b", "ab"), ("?", "??"),
        ("can you deploy orders?", "deploy orders?"), ("m² of it", "m2 of it"), ("Ｗ", "W"),
    ],
)  # fmt: skip
def test_marks_that_mean_something_stay(one: str, other: str) -> None:
    """Only what ends a question or is polite is left out, and never all of it."""
    assert not answered(one, other)
    assert not answered(other, one)
