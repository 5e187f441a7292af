"""One check's outcome: what was found, and what mends it."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "State", "ok", "problem", "warning"]


class State(StrEnum):
    """How a check ended. Only a problem makes `doctor` exit with 1."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """`says` is what was found; `mend` is what helps, empty when all is well."""

    name: str
    state: State
    says: str
    mend: str = ""


def ok(name: str, says: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name, State.OK, says)


def warning(name: str, says: str, mend: str) -> Check:
    """Return a check that found something to know of."""
    return Check(name, State.WARNING, says, mend)


def problem(name: str, says: str, mend: str) -> Check:
    """Return a check that found something broken."""
    return Check(name, State.PROBLEM, says, mend)
