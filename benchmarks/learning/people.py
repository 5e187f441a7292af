"""Talk of our own between two people, over months of sessions: events, photos, questions back.

The same event comes several times, of both speakers; whoever listens says its words again; what is
asked avoids the words of the answer. So words alone, meaning alone and the name alone mislead.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from benchmarks.datasets import Corpus, Entry, Query
from benchmarks.learning.grammar import Speech, template_file

__all__ = ["conversations"]

_SESSIONS = (8, 16)
_EVENTS_A_SESSION = (2, 4)
_BEGIN = datetime(2021, 1, 1, 9, tzinfo=UTC)


@dataclass(slots=True)
class _Talk:
    speech: Speech
    aside: Speech
    """Fills what is beside the point, by a seed of its own."""
    speakers: tuple[str, str]
    entries: list[Entry] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    groups: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    topics: dict[tuple[str, str], list[tuple[str, datetime, list[str]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    details: dict[tuple[str, str, int], list[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    session: int = 0
    when: datetime = _BEGIN

    def add(self, speaker: str, content: str) -> str:
        # Answers ask back too, and small talk is as long as news: neither shape tells them apart.
        if self.aside.rng.random() < (0.7 if len(content) < 80 else 0.2):
            content += " " + self.aside.say("<chatter>")
        if self.aside.rng.random() < 0.15:
            content += " " + self.aside.say("<question>")
        key = f"D{self.session}:{len(self.entries) + 1}"
        self.entries.append(Entry(key, speaker, content, f"session_{self.session}", self.when))
        return key


def conversations(seed: int, count: int) -> Iterator[Corpus]:
    """Yield `count` talks, each with its questions; the same for the same seed."""
    vocabulary, events = template_file("vocabulary"), template_file("people")["event"]
    for number in range(count):
        speech = Speech(Random(f"{seed} people {number}"), vocabulary)
        aside = Speech(Random(f"{seed} aside {number}"), vocabulary)
        talk = _talk(speech, aside, events)
        yield Corpus(f"people-{number}", "people", tuple(talk.entries), tuple(talk.queries))


def _talk(speech: Speech, aside: Speech, events: list[dict[str, Any]]) -> _Talk:
    rng = speech.rng
    first, second = speech.words("name", 2)
    talk = _Talk(speech, aside, (first, second))
    talk.when += timedelta(days=rng.randrange(1500))
    # Few events, so that each comes again, and of both.
    chosen = rng.sample(events, rng.randint(12, 18))
    for number in range(1, rng.randint(*_SESSIONS) + 1):
        talk.session = number
        talk.when += timedelta(days=rng.randint(2, 40), minutes=rng.randrange(600))
        _session(talk, chosen)
    _ask_for_details(talk)
    _ask_for_groups(talk)
    _ask_for_events(talk)
    return talk


def _session(talk: _Talk, events: list[dict[str, Any]]) -> None:
    rng, say = talk.speech.rng, talk.speech.say
    first, second = rng.sample(talk.speakers, 2)
    talk.add(first, say("<greeting>", X=first, Y=second))
    talk.add(second, say("<greeted>", X=second, Y=first))
    for event in rng.sample(events, rng.randint(*_EVENTS_A_SESSION)):
        teller, listener = rng.sample(talk.speakers, 2)
        _event(talk, event, teller, listener)
        if rng.random() < 0.5:
            talk.add(listener, say("<comment>", X=teller, Y=listener))
    if rng.random() < 0.7:
        talk.add(first, say("<parting>", X=first, Y=second))


def _event(talk: _Talk, event: dict[str, Any], teller: str, listener: str) -> None:
    """Tell of an event: said, reacted to, detailed; and ask of it later, once for all."""
    rng, speech = talk.speech.rng, talk.speech
    names = {"X": teller, "Y": listener}
    speech.same.clear()

    def say(template: str) -> str:
        return speech.say(template, **names)

    said = _around(talk, say(rng.choice(event["says"])), names)
    if "image" in event and rng.random() < 0.4:
        said += f" [image: {say(event['image'])}]"
    _note(talk, event, teller, talk.add(teller, said))
    talk.add(listener, say(rng.choice(event["reacts"])))
    details = rng.sample(range(len(event["details"])), rng.randint(1, len(event["details"])))
    for number, detail in enumerate(details):
        if number:
            talk.add(listener, say(rng.choice(("<comment>", "<question>", *event["reacts"]))))
        answer, *questions = event["details"][detail]
        key = talk.add(teller, _around(talk, say(answer), names))
        # The words of a slot differ each time: such a question is about this one event alone.
        question = say(rng.choice(questions))
        talk.details[teller, event["topic"], detail].append((key, question))
    if rng.random() < 0.3:  # the listener has been there too: near, and not asked for
        speech.same.clear()
        other = speech.say(rng.choice(event["says"]), X=listener, Y=teller)
        _note(talk, event, listener, talk.add(listener, other))


def _note(talk: _Talk, event: dict[str, Any], teller: str, key: str) -> None:
    talk.topics[teller, event["topic"]].append((key, talk.when, event["asks"]))
    talk.groups[teller, event["group"]].add(key)


def _around(talk: _Talk, said: str, names: dict[str, str]) -> str:
    """Return what is said with the small talk that people put around it."""
    rng, say = talk.speech.rng, talk.speech.say
    if rng.random() < 0.3:
        said = say("<comment>", X=names["Y"], Y=names["X"]).rstrip(".!?") + "! " + said
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        said += " " + say("<elaboration>")
    return said


def _ask_for_details(talk: _Talk) -> None:
    """Ask for what was told after an event; told twice, both answer."""
    for told in talk.details.values():
        if talk.speech.rng.random() < 0.5 and len(told) <= 3:
            _ask(talk, told[0][1], {key for key, _ in told})


def _ask(talk: _Talk, question: str, relevant: set[str]) -> None:
    aside = talk.aside.rng
    if aside.random() < 0.12:  # names first who was told of it, and said none of it
        listener = aside.choice([each for each in talk.speakers if each not in question] or [""])
        question = f"{aside.choice(('As heard by', 'Told to', 'For'))} {listener}: {question}"
    talk.queries.append(Query(question, frozenset(relevant)))


def _ask_for_groups(talk: _Talk) -> None:
    """Ask what several events have in common: each of them answers."""
    for (teller, group), keys in talk.groups.items():
        if 1 < len(keys) <= 6 and talk.speech.rng.random() < 0.5:
            _ask(talk, talk.speech.say(group, X=teller), keys)


def _ask_for_events(talk: _Talk) -> None:
    """Ask for an event, or for one of several like ones by its month or its day."""
    rng, speech = talk.speech.rng, talk.speech
    for (teller, _), told in talk.topics.items():
        key, when, asks = rng.choice(told)
        speech.same.clear()
        question = speech.say(rng.choice(asks), X=teller)
        months = [(each.year, each.month) for _, each, _ in told]
        if len(told) == 1 or rng.random() < 0.3:
            _ask(talk, question, {each for each, _, _ in told})
        elif months.count((when.year, when.month)) == 1 and not question.startswith("When"):
            date = rng.choice((f"in {when:%B %Y}", f"in {when:%B}", f"on {when.day} {when:%B %Y}"))
            _ask(talk, f"{question.rstrip('?').rstrip()} {date}?", {key})
