"""Talk of our own between a user and an assistant: facts in passing, long replies.

A message of the user tells some facts and ends by asking; the reply is ten times as long, says all
words of the matter again and none of the facts. Later questions are about the facts.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from benchmarks.datasets import Corpus, Entry, Query
from benchmarks.learning.grammar import Speech, template_file

__all__ = ["chats"]

_SESSIONS = (4, 8)
_MESSAGES = (4, 8)
_BEGIN = datetime(2022, 1, 1, 9, tzinfo=UTC)


@dataclass(slots=True)
class _Chat:
    speech: Speech
    project: dict[str, Any]
    name: str
    user: str = "user"
    entries: list[Entry] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    told: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By a fact's question, the messages that say it."""
    areas: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """By an area's name in other words, its messages with their replies."""
    session: int = 0
    when: datetime = _BEGIN

    def add(self, speaker: str, content: str) -> str:
        key = f"D{self.session}:{len(self.entries) + 1}"
        self.entries.append(Entry(key, speaker, content, f"session_{self.session}", self.when))
        return key

    def say(self, template: str) -> str:
        return self.speech.say(template)


def chats(seed: int, count: int) -> Iterator[Corpus]:
    """Yield `count` chats, each with its questions; the same for the same seed."""
    templates = template_file("assistants")
    vocabulary = template_file("vocabulary") | template_file("replies")
    for number in range(count):
        speech = Speech(Random(f"{seed} chats {number}"), vocabulary)
        project = templates["project"][number % len(templates["project"])]
        chat = _Chat(speech, project, speech.say(project["name"]))
        if number % 4 == 3:  # some frontends store who it is
            chat.user = speech.word("name")
        _fill(chat)
        yield Corpus(f"chat-{number}", "chats", tuple(chat.entries), tuple(chat.queries))


def _fill(chat: _Chat) -> None:
    rng = chat.speech.rng
    chat.when += timedelta(days=rng.randrange(1000))
    for number in range(1, rng.randint(*_SESSIONS) + 1):
        chat.session = number
        chat.when += timedelta(days=rng.randint(3, 30))
        for _ in range(rng.randint(*_MESSAGES)):
            area = rng.choice(chat.project["area"])
            _message(chat, area)
            if rng.random() < 0.4:
                _follow_up(chat, area)
    for question, keys in chat.told.items():
        if len(keys) <= 4:
            lead = "" if rng.random() < 0.7 else chat.say("<lead> ")
            chat.queries.append(Query(lead + question, frozenset(keys)))
    for other, pairs in chat.areas.items():
        if len(pairs) > 1:
            template = rng.choice(("<ordering>", "<summary>"))
            keys = {key for pair in pairs for key in pair[: 1 if template == "<ordering>" else 2]}
            question = chat.say(template).replace("AREA", other)
            chat.queries.append(Query(question, frozenset(keys)))


def _message(chat: _Chat, area: dict[str, Any]) -> None:
    rng = chat.speech.rng
    facts = rng.sample(area["facts"], rng.randint(0, 2))
    said = [chat.say(_valued(chat, fact)) for fact, _ in facts]
    term = rng.choice(area["terms"].split(";"))
    parts = {
        "TOPIC": area["topic"],
        "TERM": term,
        "TOOL": rng.choice(chat.project["tools"].split(";")),
        "PROJECT": chat.name,
        "PERSON": chat.say(chat.project["person"]),
    }
    text = _filled(chat.say("<opening>"), parts)
    for fact in said:
        text += " " + _filled(chat.say("<fact>"), {**parts, "FACT": fact})
    text += " " + _filled(chat.say("<asking>"), parts)
    key = chat.add(chat.user, text)
    answer = chat.add("assistant", _reply(chat, area, term))
    for _, question in facts:
        chat.told[question].add(key)
    chat.areas[area["other"]].append((key, answer))
    if rng.random() < 0.08:
        question = _filled(chat.say("<advised>"), {**parts, "AREA": area["other"]})
        chat.queries.append(Query(question, frozenset((key, answer))))


def _follow_up(chat: _Chat, area: dict[str, Any]) -> None:
    rng = chat.speech.rng
    term = rng.choice(area["terms"].split(";"))
    parts = {"TERM": term, "TOPIC": area["topic"], "PROJECT": chat.name}
    key = chat.add(chat.user, _filled(chat.say("<follow>"), parts))
    answer = chat.add("assistant", _reply(chat, area, term))
    chat.areas[area["other"]].append((key, answer))


def _reply(chat: _Chat, area: dict[str, Any], term: str) -> str:
    """Return a long answer: an opening, a list of the area's terms, sometimes code, a question."""
    rng = chat.speech.rng
    parts = {"TOPIC": area["topic"], "TERM": term, "PROJECT": chat.name}
    lines = [_filled(chat.say("<reply>"), parts), ""]
    terms = area["terms"].split(";")
    rng.shuffle(terms)
    for number, each in enumerate(terms[: rng.randint(4, 8)], 1):
        advice = " ".join(chat.say("<advice>") for _ in range(rng.randint(1, 3)))
        lines.append(
            f"{number}. **{each.capitalize()}**: " + _filled(advice, {**parts, "TERM": each})
        )
    if rng.random() < 0.3:
        lines += ["```", *(chat.say("<code>") for _ in range(rng.randint(3, 8))), "```"]
    lines.append(_filled(chat.say("<ending>"), parts))
    return "\n".join(lines)


def _valued(chat: _Chat, fact: str) -> str:
    """Return the fact with numbers and dates in it; the rest are words of the vocabulary."""
    rng = chat.speech.rng
    while "<v>" in fact:
        fact = fact.replace("<v>", str(rng.choice((rng.randint(2, 9), rng.randint(10, 99)))), 1)
    day = chat.when + timedelta(days=rng.randint(10, 90))
    return fact.replace("<d>", f"{day:%B} {day.day}, {day.year}")


def _filled(text: str, parts: dict[str, str]) -> str:
    for name, value in parts.items():
        text = text.replace(name, value)
    return text
