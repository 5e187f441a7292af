"""Learned fusion: its laws, where it ranks, and how a trace tells of it."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.learned.features import FEATURES, features_of
from pinak_ray.recall.learned.weights import WEIGHTS_FILE, learned_weights
from pinak_ray.recall.recipes import RECIPES
from pinak_ray.recall.scoring import is_learned, score
from pinak_ray.testing import LocalSwarm

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULT = RECIPES["default"]
SIGNALS = ("dense", "lexical", "window_dense", "window_lexical")


def row(number: int, content: str, agent: str = "Ada", session: str | None = "s") -> dict[str, Any]:
    """Return a candidate's row, as far as scoring reads it."""
    return {
        "id": UUID(int=number),
        "content": content,
        "agent": agent,
        "session": session,
        "occurred_at": NOW - timedelta(days=number),
    }


def scored(rows: list[dict[str, Any]], signals: dict[str, Scores], query: str = "what?") -> Scores:
    """Return the default recipe's scores."""
    return score(rows, signals, DEFAULT, query, NOW).scores


def level(count: int) -> dict[str, Scores]:
    """Return signals that tell no candidate from another."""
    return {name: np.full(count, 0.5) for name in SIGNALS}


NUMBERS = st.one_of(st.just(math.nan), st.floats(0, 1, width=32))
CANDIDATES = st.lists(
    st.tuples(
        NUMBERS,
        NUMBERS,
        NUMBERS,
        NUMBERS,
        st.sampled_from(["Ada", "Bo", "user", "assistant"]),
        st.sampled_from(
            ["I went to Oslo last week.", "Why?", "yes", "八月に東京へ行った。", "x " * 90]
        ),
        st.sampled_from(["s", "t"]),
    ),
    min_size=1,
    max_size=12,
)


def of(drawn: list[tuple[Any, ...]]) -> tuple[list[dict[str, Any]], dict[str, Scores]]:
    """Return rows and signals of what was drawn."""
    rows = [row(1, text, agent, session) for *_, agent, text, session in drawn]
    columns = zip(*(each[:4] for each in drawn), strict=True)
    return rows, {
        name: np.array(column, dtype=np.float64)
        for name, column in zip(SIGNALS, columns, strict=True)
    }


@given(CANDIDATES, st.randoms())
def test_scores_do_not_depend_on_the_order(drawn: list[tuple[Any, ...]], random: Any) -> None:
    """Each candidate has the same score, to the last bit, wherever it stands."""
    places = list(range(len(drawn)))
    random.shuffle(places)
    query = "When did Ada go in August?"
    first = scored(*of(drawn), query)
    second = scored(*of([drawn[at] for at in places]), query)
    assert first[places].tolist() == second.tolist()


@given(CANDIDATES)
def test_equal_candidates_stay_equal(drawn: list[tuple[Any, ...]]) -> None:
    """A twin of a candidate has its score."""
    scores = scored(*of([*drawn, drawn[0]]))
    assert scores[0] == scores[-1]


@pytest.mark.parametrize("name", SIGNALS)
def test_more_evidence_is_never_worse(name: str) -> None:
    """Of two that differ in one signal, the one that has more of it is not behind."""
    signals = level(3)
    signals[name] = np.array([0.1, 0.6, 0.9])
    low, middle, high = scored([row(1, "we met at noon")] * 3, signals)
    assert low < middle < high


def test_no_weight_speaks_against_evidence() -> None:
    """So that more words or a nearer meaning never cost a place."""
    weights = learned_weights()
    assert all(
        weight >= 0 for name, weight in weights.items() if name.startswith((*SIGNALS, "session_"))
    )


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("What did Ada buy?", row(1, "a boat, it was cheap"), row(1, "a boat, it was cheap", "Bo")),
        ("What did they buy?", row(1, "a boat, it was cheap"), row(1, "a boat, was it cheap?")),
        ("What did they buy?", row(1, "a red boat with two sails and an oar"), row(1, "a boat")),
        ("When was it?", row(1, "we met on Friday, at last"), row(1, "we met on stairs, at last")),
        ("How many came?", row(1, "there were seven of us"), row(1, "there were all of us")),
        (
            "Which port do I use?",
            row(1, "the port is 8081", "user"),
            row(1, "the port is 8081", "assistant"),
        ),
        (
            "What was in February 2026?",
            {**row(1, "a storm came"), "occurred_at": datetime(2026, 2, 3, tzinfo=UTC)},
            {**row(1, "a storm came"), "occurred_at": datetime(2025, 7, 3, tzinfo=UTC)},
        ),
    ],
)
def test_a_cue_tells_equals_apart(
    query: str, better: dict[str, Any], worse: dict[str, Any]
) -> None:
    """Who said it, when, how long it is and what it has of what is asked for."""
    others = [row(2, "nothing of that", "Bo"), row(3, "nor this", "Cy")]
    signals = level(4)
    first, second, *_ = scored([better, worse, *others], signals, query)
    assert first > second


def test_another_language_is_ranked_by_its_evidence() -> None:
    """English cues find nothing in it and move nothing."""
    rows = [row(1, "八月に東京へ行った。"), row(1, "九月に大阪へ行った。")]
    signals = level(2)
    signals["lexical"] = np.array([1.0, 2.0])
    first, second = scored(rows, signals, "八月にどこへ行きましたか？")
    assert second > first


def test_an_unknown_signal_moves_nothing() -> None:
    """Without any vector the words alone rank."""
    signals = level(2) | {name: np.full(2, math.nan) for name in ("dense", "window_dense")}
    signals["lexical"] = np.array([2.0, math.nan])
    first, second = scored([row(1, "one"), row(1, "two")], signals)
    assert first > second
    assert np.isfinite([first, second]).all()


def test_it_ranks_what_was_said_in_sessions() -> None:
    """Where most have none, the recipe made by hand ranks, and under its own name always."""
    said, loose = row(1, "in a session"), row(2, "a fact", session=None)
    assert is_learned([said, said, loose], DEFAULT)
    assert not is_learned([said, loose], DEFAULT)
    assert not is_learned([], DEFAULT)
    assert not is_learned([said], RECIPES["fused"])


def test_the_matrix_has_a_column_a_feature() -> None:
    """One row a candidate, also of none."""
    assert features_of([], level(0), "what?", NOW).shape == (0, len(FEATURES))
    assert features_of([row(1, "one")], level(1), "what?", NOW).shape == (1, len(FEATURES))


def test_the_weights_say_where_they_come_from() -> None:
    """The file has each feature once, and the data: none that forbid to ship it."""
    stored = orjson.loads(WEIGHTS_FILE.read_bytes())
    assert list(stored["weights"]) == list(FEATURES)
    assert stored["trained"]["command"] == "python -m benchmarks.learning"
    assert stored["trained"]["data"] == [
        "ProactiveMemBench (MIT), turns",
        "own templates: people, chats, runs",
    ]


async def test_a_trace_shows_features_and_what_they_add() -> None:
    """Contributions add up to the score; a signal shows its own value, not its z-score."""
    swarm = LocalSwarm()
    for agent, content in (("Ada", "I sold the boat on Friday"), ("Bo", "which boat?")):
        await swarm.agent(agent).remember(content, session="s")
    result = await swarm.agent("reader").recall("when did Ada sell the boat?", trace=True)
    assert result.trace is not None
    assert result.trace.fusion == "learned"
    assert result.trace.weights == dict(learned_weights())
    for hit in result.hits:
        assert [one.name for one in hit.signals] == list(FEATURES)
        added = math.fsum(one.contribution for one in hit.signals)
        assert hit.fused is not None
        assert math.isclose(hit.fused, added, abs_tol=1e-9)
    first = {one.name: one for one in result.hits[0].signals}
    assert result.hits[0].agent == "Ada"
    assert (first["agent"].score, first["question"].score, first["time"].score) == (1.0, 0.0, 1.0)
    assert first["lexical"].score is not None
    assert first["lexical"].score > 0


async def test_the_recipe_made_by_hand_has_a_name() -> None:
    """`fused` ranks by z-scores and bonuses, in sessions too."""
    swarm = LocalSwarm()
    await swarm.agent("Ada").remember("I sold the boat", session="s")
    result = await swarm.agent("reader").recall("the boat", recipe="fused", trace=True)
    assert result.trace is not None
    assert (result.trace.recipe, result.trace.fusion) == ("fused", "zscore")
    assert result.trace.weights == RECIPES["fused"].signal_weights()
