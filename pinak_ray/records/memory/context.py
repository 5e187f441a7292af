"""What an agent needs as text for a prompt, and what it costs in tokens."""

from dataclasses import dataclass

from pinak_ray.records.results import Result

__all__ = ["Context", "ContextSection", "estimate_tokens"]

# OpenAI's rule of thumb for English: a token is about four characters.
_CHARACTERS_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a model will count, rounded up."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class ContextSection(Result):
    """One part of a context: how many of its lines are shown and left out, and their tokens.

    `eligible_tokens` is what it would have cost to show all that the part is about.
    """

    name: str
    items: int
    omitted: int
    tokens: int
    eligible_tokens: int


@dataclass(frozen=True, slots=True)
class Context(Result):
    """What an agent needs, one line an item, with its size in (estimated) tokens.

    `saving` is measured, from 0 to 1: the share of `eligible_tokens` that is not in the text.
    """

    text: str
    tokens: int
    items: int
    omitted: int
    eligible_tokens: int
    saving: float
    sections: tuple[ContextSection, ...]
