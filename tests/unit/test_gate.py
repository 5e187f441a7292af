"""The gate: which intents are risky enough to look for a warning."""

import pytest

from pinak_ray.nudges.gate import READ_ONLY_VERBS, RISK_WORDS, THRESHOLD, GateResult, judge


def weigh(text: str, *, failure: float = 0.4, safe: float = 0.2, bm25: float = 0.0) -> GateResult:
    """Judge with plausible similarities."""
    return judge(text, failure_similarity=failure, safe_similarity=safe, best_bm25=bm25)


def test_the_score_is_the_documented_sum() -> None:
    """Each part of the formula counts with its weight."""
    result = weigh("show the backup, drop nothing", failure=0.5, safe=0.1, bm25=2.5)
    assert result.score == pytest.approx(0.5 - 0.1 - 0.12 + 0.03 * 2 + 0.02 * 0.5)


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


@pytest.mark.parametrize("text", ["Summarise it", "please list them", "Could you explain it?"])
def test_read_only_verbs_lower_the_score(text: str) -> None:
    """Only the first verb counts, after words of politeness."""
    assert weigh(text).score == pytest.approx(0.2 - 0.12)


def test_a_later_read_only_verb_does_not_excuse() -> None:
    """What begins with an action stays an action."""
    assert weigh("Move it and list them").score == pytest.approx(0.2)


def test_many_matching_words_add_at_most_a_little() -> None:
    """BM25 counts up to 5."""
    assert weigh("x", bm25=500).score == pytest.approx(0.22)


@pytest.mark.parametrize("text", ["", "   ", "42 !?", "удалить базу"])
def test_any_text_can_be_judged(text: str) -> None:
    """No words at all is no error."""
    assert weigh(text).score == pytest.approx(0.2)


def test_the_lists_are_lower_case_single_words() -> None:
    """A word that could never match would be a lie."""
    assert all(word.isalpha() and word.islower() for word in RISK_WORDS | READ_ONLY_VERBS)
