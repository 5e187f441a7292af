"""What the agents do and when: pure, seeded, and the same size for ten agents or a million.

Each agent acts at random moments with exponential think times between them: a Poisson process. Of
many such processes only the sum is drawn (it is a Poisson process too, of the summed rate), and for
each of its events an agent, all equally likely: exactly the same law, with no timer per agent.
"""

from collections.abc import Iterator
from enum import StrEnum
from random import Random
from typing import NamedTuple

from pinak_ray.cli.simulation.plan import Slice
from pinak_ray.cli.simulation.texts import Topic, fill, topics

__all__ = ["MIX", "Action", "Verb", "actions", "agent_name", "board_name"]


class Verb(StrEnum):
    """What an agent can do."""

    NOTE = "note"
    REMEMBER = "remember"
    RECALL = "recall"
    RECOLLECT = "recollect"
    CONTEXT = "context"
    INTEND = "intend"
    POST = "post"


MIX = {
    Verb.NOTE: 0.45,
    Verb.REMEMBER: 0.25,
    Verb.RECALL: 0.10,
    Verb.RECOLLECT: 0.05,
    Verb.CONTEXT: 0.05,
    Verb.INTEND: 0.05,
    Verb.POST: 0.05,
}
"""The share of each verb: agents write down much, and ask before a decision."""

_FAILURES = 0.15
"""The share of memories that tell of a failure."""
_RISKY = 0.3
"""The share of intents that are about to repeat one."""
_TO_BOARD = 0.4
"""The share of posts that go to the team's board; the others go to the agent's scratchpad."""
_KEYS = ("task", "step", "waiting_for", "finding")
_SESSION_S = 900.0
_TEAM = 20


class Action(NamedTuple):
    """One thing that one agent does; `due_s` counts from the beginning."""

    due_s: float
    agent: int
    verb: Verb
    text: str
    session: str
    topic: str
    key: str
    """The working item of a note."""
    failed: bool
    """Whether a memory tells of a failure."""
    to_board: bool
    """Whether a post goes to the team's board."""


def agent_name(agent: int) -> str:
    """Return the name of an agent."""
    return f"agent-{agent:07d}"


def board_name(agent: int) -> str:
    """Return the name of the board that the agent's team shares."""
    return f"team-{agent // _TEAM:06d}"


def actions(part: Slice) -> Iterator[Action]:
    """Yield the actions of a slice's agents in the order in which they are due, without end."""
    random = Random(f"{part.plan.seed}/{part.index}")  # noqa: S311 - a simulation, not a secret
    verbs, weights = tuple(MIX), tuple(MIX.values())
    due_s = 0.0
    while True:
        due_s += random.expovariate(part.rate)
        agent = part.agent(random.randrange(part.size))
        (verb,) = random.choices(verbs, weights)
        yield _action(due_s, agent, verb, part.plan.seed, random)


def _action(due_s: float, agent: int, verb: Verb, seed: int, random: Random) -> Action:
    session, topic = _session(seed, agent, due_s)
    failed, risky = random.random() < _FAILURES, random.random() < _RISKY
    templates = {
        Verb.REMEMBER: topic.failed if failed else topic.learned,
        Verb.RECALL: topic.questions,
        Verb.INTEND: topic.risky if risky else topic.harmless,
    }.get(verb, topic.notes)
    return Action(
        due_s,
        agent,
        verb,
        fill(templates, random),
        f"{agent_name(agent)}/{session}",
        topic.name,
        random.choice(_KEYS),
        failed,
        random.random() < _TO_BOARD,
    )


def _session(seed: int, agent: int, due_s: float) -> tuple[int, Topic]:
    """Return the agent's session at this time, and its topic.

    Both follow from the names alone: nothing is kept per agent. Sessions of different agents begin
    at different times.
    """
    phase = Random(f"{seed}/{agent}").random()  # noqa: S311
    session = int(due_s / _SESSION_S + phase)
    return session, Random(f"{seed}/{agent}/{session}").choice(topics())  # noqa: S311
