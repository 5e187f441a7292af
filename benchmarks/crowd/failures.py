"""Draw failures as agents record them: of many fields, each of its own services, things and causes.

Each is drawn from one field of `fields.toml` in one of several forms, from one line of a log to the
few sentences of a post-mortem, and no two are equal. What they share with any other failure is the
verbs of operations and the everyday words around them.
"""

import random
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

__all__ = ["failures", "fields"]

Field: TypeAlias = Mapping[str, Sequence[str]]
"""Lists of phrases: `who`, `things`, `to`, `why`, `so` and `said`."""

# Short ones as a tool's output leaves them, long ones as people write them.
_FORMS = (
    "{who}: could not {to}: {why}.",
    "{who}: {to} failed, {why}; {so}.",
    "Tried to {to} on {who}: {said}",
    "Failed to {to} ({who}). {why}. After {minutes} minutes {so}.",
    "{who}: while trying to {to} in a hurry, nobody saw that {why}; {so}.",
    "{to} at {who}, run {run}: {said}. Cause: {why}.",
    "{who} {version}: {so} because {why} when we wanted to {to}.",
    "exit {code}: {said} ({to}, {who}, {day})",
    "On {day} an agent was asked to {to} for {who}; {why}, and {so}. Check first.",
    "{who}: {so} after an attempt to {to}. {why}.",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIELDS = Path(__file__).with_name("fields.toml")


def fields() -> dict[str, Field]:
    """Return the fields of work by name."""
    return tomllib.loads(_FIELDS.read_text(encoding="utf-8"))


def failures(count: int, seed: int, among: Sequence[str] | None = None) -> list[str]:
    """Return `count` different failures, the same for the same seed, of these fields or of all."""
    source = random.Random(seed)
    known = fields()
    chosen = [known[name] for name in among or known]
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        drawn[_drawn(source, chosen[len(drawn) % len(chosen)])] = None
    return list(drawn)


def _drawn(source: random.Random, field: Field) -> str:
    part = {name: source.choice(field[name]) for name in ("who", "why", "so", "said")}
    text = source.choice(_FORMS).format(
        **part,
        to=source.choice(field["to"]).format(thing=source.choice(field["things"])),
        minutes=source.randint(3, 240),
        run=source.randint(100, 99_999),
        version=f"{source.randint(1, 9)}.{source.randint(0, 40)}.{source.randint(0, 9)}",
        code=source.choice((1, 2, 126, 137, 143, 255)),
        day=source.choice(_DAYS),
    )
    return text[0].upper() + text[1:]
