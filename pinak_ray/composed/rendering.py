"""Lines into a token budget: each section has a share, and hands on what it does not use.

This is weighted fair queueing (Demers, Keshav and Shenker, 1989), with tokens for time: one order
of all lines, whatever the budget, of which as many are shown as fit. So a larger budget shows what
a smaller one shows, and more.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pinak_ray.records.memory.context import Context, ContextSection, estimate_tokens

__all__ = ["Section", "render"]


class Section(NamedTuple):
    """Lines, most wanted first, and the share of the budget that they have a right to."""

    name: str
    share: int
    lines: Sequence[str]
    whole_tokens: int = 0
    """What it would cost to show all that the lines were chosen from, if more than the lines."""


class _Line(NamedTuple):
    finish: float
    section: int
    place: int
    tokens: int
    text: str


def render(sections: Sequence[Section], budget_tokens: int) -> Context:
    """Return the context of these sections, in their order, within the budget.

    Lines are shown whole, and each text once: in the first section that has it.
    """
    lines = sorted(_queued(sections))
    shown: list[_Line] = []
    left = budget_tokens
    for line in lines:
        if line.tokens > left:
            break
        shown.append(line)
        left -= line.tokens
    shown.sort(key=lambda line: (line.section, line.place))
    counts = tuple(_counted(at, one, lines, shown) for at, one in enumerate(sections))
    tokens = budget_tokens - left
    eligible = sum(one.eligible_tokens for one in counts)
    return Context(
        "\n".join(line.text for line in shown),
        tokens,
        len(shown),
        len(lines) - len(shown),
        eligible,
        round(1 - tokens / eligible, 4) if eligible else 0.0,
        counts,
    )


def _queued(sections: Sequence[Section]) -> Iterator[_Line]:
    """Yield each different line with the time at which it would be out, all shares being used."""
    seen: set[str] = set()
    for at, section in enumerate(sections):
        new = [text for text in dict.fromkeys(section.lines) if text not in seen]
        seen.update(new)
        costs = [estimate_tokens(text + "\n") for text in new]
        spent = 0
        for place in _turns(costs):
            spent += costs[place]
            yield _Line(spent / section.share, at, place, costs[place], new[place])


def _turns(costs: Sequence[int]) -> list[int]:
    """Return the order in which a section's lines are shown: as they are, but fair to short ones.

    To a short line the longer ones before it count no more than it does itself, as if they were
    printed side by side: otherwise one long line would keep out all that come after it.
    """
    held = np.asarray(costs, dtype=np.int64)
    waits = np.tril(np.minimum.outer(held, held)).sum(axis=1)
    return [int(place) for place in np.argsort(waits, kind="stable")]


def _counted(
    at: int, section: Section, lines: Sequence[_Line], shown: Sequence[_Line]
) -> ContextSection:
    own = [line.tokens for line in lines if line.section == at]
    out = [line.tokens for line in shown if line.section == at]
    whole = max(section.whole_tokens, sum(own))
    return ContextSection(section.name, len(out), len(own) - len(out), sum(out), whole)
