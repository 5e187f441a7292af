"""The gate: which intents are risky enough to look for a warning."""

import pytest

from pinak_ray.nudges.gate import (
    READ_ONLY_VERBS,
    RISK_WORDS,
    THRESHOLD,
    WRITINGS,
    GateResult,
    judge,
)


def weigh(text: str, *, failure: float = 0.4, safe: float = 0.2, words: float = 0.0) -> GateResult:
    """Judge with plausible similarities."""
    return judge(text, failure_similarity=failure, safe_similarity=safe, best_words=words)


def test_the_score_is_the_documented_sum() -> None:
    """Each part of the formula counts with its weight."""
    result = weigh("show the backup, drop nothing", failure=0.5, safe=0.1, words=0.5)
    assert result.score == pytest.approx(0.5 - 0.1 + 0.2 * 0.5 - 0.2 + 0.03 * 2)


def test_among_many_failures_more_must_speak_for_a_warning() -> None:
    """Each time that there are e times more, by as much; a hundred are not many."""
    few, many, most = (
        judge("x", failure_similarity=0.4, safe_similarity=0.2, best_words=0.0, crowd=crowd).score
        for crowd in (0.0, 1.0, 2.0)
    )
    assert few == weigh("x").score
    assert few - many == pytest.approx(0.03) == pytest.approx(many - most)


def test_it_opens_at_the_threshold() -> None:
    """The threshold itself is risky enough; just below is not."""
    assert weigh("x", failure=THRESHOLD, safe=0.0).open
    assert not weigh("x", failure=THRESHOLD - 1e-9, safe=0.0).open


def test_risk_words_are_whole_words_in_any_ending() -> None:
    """Endings count, parts of other words do not."""
    assert (
        "risk words: delete, drop, deploy" in weigh("Deleted, dropping; redeploys deploys").reasons
    )
    assert not any(
        "risk words" in reason for reason in weigh("Form a dropdown of rootless").reasons
    )


def test_two_risk_words_weigh_as_much_as_ten() -> None:
    """A long list of dangers does not shout down the similarities."""
    assert weigh("delete prod").score == weigh("delete drop wipe purge prod database now").score


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("Summarise it", "summarise"),
        ("please list them", "list"),
        ("Could you explain it?", "explain"),
        ("What holds the lock?", "what"),
        ("Write a haiku on locks", "write haiku"),
        ("We will add two more tests", "add test"),
    ],
)
def test_what_changes_nothing_lowers_the_score(text: str, start: str) -> None:
    """Reading, asking and writing texts, after words of politeness."""
    result = weigh(text)
    assert result.score == pytest.approx(0.2 - 0.2)
    assert f"changes nothing: {start}" in result.reasons


@pytest.mark.parametrize(
    "text",
    [
        "Move it and list them",
        "Write a script",
        "Write over whatever is in the old report",
        "Run the tests",
        "Please",
    ],
)
def test_what_begins_as_an_action_stays_one(text: str) -> None:
    """A later read-only verb, a far piece of writing, or a writing that is run excuses nothing."""
    assert weigh(text).score == pytest.approx(0.2)


@pytest.mark.parametrize("text", ["", "   ", "42 !?", "удалить базу"])
def test_any_text_can_be_judged(text: str) -> None:
    """No words at all is no error."""
    assert weigh(text).score == pytest.approx(0.2)


def test_the_lists_are_lower_case_single_words() -> None:
    """A word that could never match would be a lie."""
    assert all(
        word.isalpha() and word.islower() for word in RISK_WORDS | READ_ONLY_VERBS | WRITINGS
    )
