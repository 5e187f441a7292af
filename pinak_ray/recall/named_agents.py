"""Which agent a query speaks of, if it names exactly one."""

import re
from collections.abc import Iterable

__all__ = ["named_agent"]


def named_agent(query: str, agents: Iterable[str]) -> str | None:
    """Return the one of `agents` whose whole name stands in `query` in any case, else None.

    Two named agents are compared, not chosen between. A name inside a longer named one ("deployer"
    in "deployer-2") is not named by it.
    """
    text = query.casefold()
    named: list[str] = []
    for agent in sorted(set(agents), key=lambda name: (-len(name), name)):
        pattern = rf"(?<!\w){re.escape(agent.casefold())}(?!\w)"
        text, found = re.subn(pattern, "\0", text)
        if found:
            named.append(agent)
    return named[0] if len(named) == 1 else None
