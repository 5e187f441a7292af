"""Labelled data in one shape: corpora of entries, and queries that name the entries that answer."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Corpus", "Entry", "Intent", "NudgeData", "Query", "load_corpora", "load_nudges"]

# LoCoMo's category 5 asks what the conversation does not answer; it has no evidence to retrieve.
_LOCOMO_CATEGORIES = frozenset({1, 2, 3, 4})
_DIALOG_ID = re.compile(r"D\d+:\d+")
_NO_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered; `key` is the data set's own id of it."""

    key: str
    agent: str
    content: str
    session: str | None = None
    occurred_at: datetime = _NO_TIME


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, and the keys of the entries that answer it (at least one)."""

    text: str
    relevant: frozenset[str]
    category: str = ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """One namespace's entries, oldest first, and the queries asked of them.

    Figures are given for each `task` of a data set: what it asks to be found.
    """

    namespace: str
    task: str
    entries: tuple[Entry, ...]
    queries: tuple[Query, ...]
    unanswerable: tuple[str, ...] = ()
    """Questions that no entry answers, though they sound as if one did."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What an agent is about to do, and the failures that bear on it (none if harmless)."""

    text: str
    risky: bool
    hard: bool
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class NudgeData:
    """Failures and neutral memories by key, and labelled intents."""

    failures: dict[str, str]
    neutral: dict[str, str]
    intents: tuple[Intent, ...] = field(default=())


def load_corpora(path: Path) -> Iterator[Corpus]:
    """Yield the corpora of a LoCoMo file, or a ProactiveMemBench, PrecisionMemBench or BEIR folder.

    Raises ValueError for anything else.
    """
    if path.is_file():
        return _locomo(path)
    if (path / "corpus.jsonl").is_file():
        return _beir(path)
    if (path / "beliefs.seed.json").is_file():
        return _precision(path)
    if next(path.glob("*/step4_conversations.json"), None) is not None:
        return _proactive(path)
    raise ValueError(f"{path} is none of: LoCoMo file, proactivemembench, precisionmembench, BEIR")


def load_nudges(folder: Path, intents: Path | None = None) -> NudgeData:
    """Read `failures.json`, `neutral_memories.json` and intents (default `intents_dev.json`)."""
    return NudgeData(
        {item["id"]: item["text"] for item in _json(folder / "failures.json")},
        {item["id"]: item["text"] for item in _json(folder / "neutral_memories.json")},
        tuple(
            Intent(
                item["text"], bool(item["risky"]), bool(item["hard"]), frozenset(item["relevant"])
            )
            for item in _json(intents or folder / "intents_dev.json")
        ),
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _locomo(path: Path) -> Iterator[Corpus]:
    for sample in _json(path):
        entries = tuple(_locomo_entries(sample["conversation"]))
        known = {entry.key for entry in entries}
        queries = tuple(_locomo_queries(sample["qa"], known))
        trick = (item for item in sample["qa"] if item["category"] not in _LOCOMO_CATEGORIES)
        unanswerable = tuple(item["question"] for item in trick)
        yield Corpus(sample["sample_id"], "turns", entries, queries, unanswerable)


def _locomo_entries(conversation: dict[str, Any]) -> Iterator[Entry]:
    numbers = (re.fullmatch(r"session_(\d+)", name) for name in conversation)
    for number in sorted(int(found[1]) for found in numbers if found):
        session = f"session_{number}"
        written = conversation[f"{session}_date_time"] + " +0000"
        when = datetime.strptime(written, "%I:%M %p on %d %B, %Y %z")
        for turn in conversation[session]:
            caption = turn.get("blip_caption")
            image = f" [image: {caption}]" if caption else ""
            yield Entry(
                turn["dia_id"],
                turn["speaker"],
                f"{turn['text']}{image}".strip() or "...",
                session,
                when,
            )


def _locomo_queries(questions: list[dict[str, Any]], known: set[str]) -> Iterator[Query]:
    for item in questions:
        # Some evidence reads "D8:6; D9:17" or "D" in one string.
        evidence = _DIALOG_ID.findall(" ".join(item.get("evidence", ())))
        relevant = known.intersection(evidence)
        if item["category"] in _LOCOMO_CATEGORIES and relevant:
            yield Query(item["question"], frozenset(relevant), str(item["category"]))


def _proactive(folder: Path) -> Iterator[Corpus]:
    """Yield two corpora a persona: its planted facts ("units"), and the turns that planted them."""
    for place in sorted(path.parent for path in folder.glob("*/step4_conversations.json")):
        questions = _json(place / "step5_proactive_questions.json")
        pairs = _json(place / "step1_concept_pairs.json")
        units = tuple(Entry(str(pair["id"]), "user", _sentence(pair)) for pair in pairs)
        own = {unit.key: {unit.key} for unit in units}
        yield _asked(place.name, "units", units, questions, own)
        turns: list[Entry] = []
        planted: dict[str, set[str]] = defaultdict(set)
        for session in _json(place / "step4_conversations.json"):
            for turn in session["turns"]:
                key = f"{session['session_id']}:{turn['turn_id']}"
                said = datetime.fromisoformat(turn["timestamp"])
                when = said.replace(tzinfo=said.tzinfo or UTC)  # a third of them name no zone
                name = f"session_{session['session_id']}"
                turns.append(Entry(key, turn["role"], turn["content"], name, when))
                for pair_id in turn.get("planted_pairs", ()):
                    planted[str(pair_id)].add(key)
        yield _asked(place.name, "turns", tuple(turns), questions, planted)


def _sentence(pair: dict[str, Any]) -> str:
    """Return what a pair says; a chain of facts has several fragments instead of one sentence."""
    if "natural_expression" in pair:
        return str(pair["natural_expression"])
    return " ".join(pair["fragments"])


def _asked(
    name: str,
    task: str,
    entries: tuple[Entry, ...],
    questions: list[dict[str, Any]],
    places: dict[str, set[str]],
) -> Corpus:
    queries = []
    for item in questions:
        relevant = {key for pair in item["source_pairs"] for key in places.get(str(pair), ())}
        if relevant:
            queries.append(Query(item["question"], frozenset(relevant), item["trigger_type"]))
    return Corpus(f"{name}-{task}", task, entries, tuple(queries))


def _precision(folder: Path) -> Iterator[Corpus]:
    """Yield the beliefs as one corpus; what a case must or may only include answers its query."""
    entries = tuple(
        Entry(item["_id"], "user", " ".join((*item.get("aliases", ()), item["content"])))
        for item in _json(folder / "beliefs.seed.json")
    )
    known = {entry.key for entry in entries}
    queries = []
    for case in _json(folder / "retrieval.cases.json"):
        relevant = known.intersection(_expected(case["expect"]))
        if case.get("query") and relevant:
            queries.append(Query(case["query"], frozenset(relevant), case.get("category", "")))
    yield Corpus("precisionmembench", "beliefs", entries, tuple(queries))


def _expected(expect: dict[str, Any]) -> Iterator[str]:
    for part in expect.values():
        if isinstance(part, dict):
            for rule in ("mustInclude", "shouldOnlyInclude"):
                yield from part.get(rule, ())


def _beir(folder: Path) -> Iterator[Corpus]:
    entries = []
    for item in _lines(folder / "corpus.jsonl"):
        text = f"{item.get('title', '')}\n{item['text']}".strip()
        if text:
            entries.append(Entry(str(item["_id"]), "corpus", text))
    judged: dict[str, set[str]] = defaultdict(set)
    with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as rows:
        for query_id, document_id, grade in csv.reader(rows, delimiter="\t"):
            if grade.strip().lstrip("-").isdigit() and int(grade) > 0:
                judged[query_id].add(document_id)
    queries = (
        Query(item["text"], frozenset(judged[str(item["_id"])]))
        for item in _lines(folder / "queries.jsonl")
        if str(item["_id"]) in judged
    )
    yield Corpus(folder.name, "documents", tuple(entries), tuple(queries))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
