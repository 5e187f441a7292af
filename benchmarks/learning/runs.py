"""Agents' logs of our own, a run a session: tool calls, problems, causes, fixes and facts.

Most entries name the service, whatever they say of it; the answer is one of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from benchmarks.datasets import Corpus, Entry, Query
from benchmarks.learning.grammar import Speech, template_file

__all__ = ["runs"]

_SESSIONS = (8, 16)
_BEGIN = datetime(2024, 1, 1, 6, tzinfo=UTC)


def runs(seed: int, count: int) -> Iterator[Corpus]:
    """Yield `count` namespaces of runs, each with its questions; the same for the same seed."""
    templates = template_file("runs")
    words = {name: text for name, text in templates.items() if isinstance(text, str)}
    vocabulary = template_file("vocabulary") | words
    for number in range(count):
        log = _Log(Speech(Random(f"{seed} runs {number}"), vocabulary), templates)
        queries = [
            Query(text, frozenset(keys)) for text, keys in log.asked.items() if len(keys) <= 3
        ]
        yield Corpus(f"runs-{number}", "runs", tuple(log.entries), tuple(queries))


class _Log:
    def __init__(self, speech: Speech, templates: dict[str, Any]) -> None:
        self._speech, rng = speech, speech.rng
        self.entries: list[Entry] = []
        self.asked: dict[str, set[str]] = defaultdict(set)
        self._when = _BEGIN + timedelta(days=rng.randrange(600))
        agents, services = speech.words("agents", 4), speech.words("services", 5)
        for number in range(rng.randint(*_SESSIONS)):
            self._session = f"run-{number + 1}"
            self._when += timedelta(hours=rng.randint(3, 200))
            self._names = {"SERVICE": rng.choice(services), "FILE": speech.word("files")}
            self._run(rng.sample(agents, 2), templates)

    def _run(self, agents: list[str], templates: dict[str, Any]) -> None:
        rng = self._speech.rng
        self._add(agents[0], "<begin>")
        finding = rng.choice(templates["finding"])
        steps = [finding["problem"], finding["cause"], finding["fix"]]
        steps.insert(rng.randrange(4), rng.choice(templates["known"])["fact"])
        for said, question in steps:
            for _ in range(rng.randint(0, 3)):
                self._add(rng.choice(agents), rng.choice(("<call>", "<call>", "<remark>")))
            key = self._add(rng.choice(agents), said)
            if rng.random() < 0.6:
                self.asked[self._filled(question)].add(key)
        self._add(agents[0], "<remark>")

    def _add(self, agent: str, template: str) -> str:
        key = str(len(self.entries))
        self.entries.append(Entry(key, agent, self._filled(template), self._session, self._when))
        return key

    def _filled(self, template: str) -> str:
        rng, text = self._speech.rng, template
        while "<v>" in text or text.startswith("<"):
            if text.startswith("<") and not text.startswith("<v>"):
                text = self._speech.word(text.strip("<>"))
            text = text.replace("<v>", str(rng.randint(2, 9)), 1)
        text = self._speech.say(text.replace("->", "→"))
        for name, value in self._names.items():
            text = text.replace(name, value)
        return text
