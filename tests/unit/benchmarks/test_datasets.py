"""Labelled data, read into one shape."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.datasets import load_corpora

_PAIRS = [
    {"id": "p1", "natural_expression": "I am allergic to nuts."},
    {"id": "p2", "fragments": ["Rex is a dog.", "He is old."]},
]
_SESSIONS = [
    {
        "session_id": 1,
        "turns": [
            {"turn_id": 1, "role": "user", "content": "Hello", "timestamp": "2024-03-01T08:00:00"},
            {
                "turn_id": 2,
                "role": "user",
                "content": "Nuts make me ill",
                "timestamp": "2024-03-01T08:01:00+08:00",
                "planted_pairs": ["p1"],
            },
        ],
    }
]
_QUESTIONS = [
    {"question": "What should I cook?", "source_pairs": ["p1"], "trigger_type": "implicit"},
    {"question": "Who needs a walk?", "source_pairs": ["p2"], "trigger_type": "implicit"},
    {"question": "What is lost?", "source_pairs": ["p9"], "trigger_type": "implicit"},
]


def write(folder: Path, name: str, content: Any) -> None:
    """Put one JSON file of a data set in place."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def test_proactive_folder_has_two_tasks(tmp_path: Path) -> None:
    """A persona's planted facts are one, the turns that planted them the other.

    A question counts where what answers it is there; a time without a zone is UTC.
    """
    write(tmp_path / "pet", "step1_concept_pairs.json", _PAIRS)
    write(tmp_path / "pet", "step4_conversations.json", _SESSIONS)
    write(tmp_path / "pet", "step5_proactive_questions.json", _QUESTIONS)
    units, turns = load_corpora(tmp_path)
    assert (units.namespace, units.task) == ("pet-units", "units")
    assert [entry.content for entry in units.entries] == [
        "I am allergic to nuts.",
        "Rex is a dog. He is old.",
    ]
    assert [query.relevant for query in units.queries] == [{"p1"}, {"p2"}]
    assert (turns.namespace, turns.task) == ("pet-turns", "turns")
    assert [query.relevant for query in turns.queries] == [{"1:2"}]
    assert turns.entries[0].occurred_at == datetime(2024, 3, 1, 8, tzinfo=UTC)
    assert turns.entries[1].occurred_at == datetime(2024, 3, 1, 0, 1, tzinfo=UTC)
    assert turns.entries[0].session == turns.entries[1].session == "session_1"


def test_precision_folder_asks_for_beliefs(tmp_path: Path) -> None:
    """Aliases are part of a belief's text; a case without a query, or without a belief, is none."""
    beliefs = [{"_id": "b1", "aliases": ["editor"], "content": "uses vim"}]
    cases = [
        {"query": "Which editor?", "expect": {"beliefs": {"mustInclude": ["b1", "b7"]}}},
        {"query": "Which car?", "expect": {"beliefs": {"mustInclude": ["b7"]}}},
        {"expect": {"beliefs": {"mustInclude": ["b1"]}}},
    ]
    write(tmp_path, "beliefs.seed.json", beliefs)
    write(tmp_path, "retrieval.cases.json", cases)
    (corpus,) = load_corpora(tmp_path)
    assert corpus.task == "beliefs"
    assert [entry.content for entry in corpus.entries] == ["editor uses vim"]
    assert [(query.text, query.relevant) for query in corpus.queries] == [("Which editor?", {"b1"})]


def test_an_unknown_folder_is_refused(tmp_path: Path) -> None:
    """And the refusal names what could be read."""
    with pytest.raises(ValueError, match="LoCoMo"):
        load_corpora(tmp_path)
