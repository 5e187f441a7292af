"""Scopes: what a token allows."""

from collections.abc import Iterable
from enum import StrEnum

from pinak_ray.records.errors import InvalidInput

__all__ = ["Scope", "granted", "scopes_named"]


class Scope(StrEnum):
    """One permission. `memory.admin` includes all others; writing does not include reading."""

    READ = "memory.read"
    WRITE = "memory.write"
    AGENTS = "memory.agents"
    """To speak for any agent or author: without it a token speaks for its own subject only."""
    ADMIN = "memory.admin"


def granted(names: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes that these names grant; a name that we do not know grants nothing."""
    known = {scope.value: scope for scope in Scope}
    scopes = frozenset(known[name] for name in names if name in known)
    return frozenset(Scope) if Scope.ADMIN in scopes else scopes


def scopes_named(names: Iterable[str]) -> tuple[Scope, ...]:
    """Return the named scopes in their own order, or raise InvalidInput naming the choices."""
    if isinstance(names, str):
        names = names.split()
    wanted = set(names)
    unknown = wanted - {scope.value for scope in Scope}
    if unknown or not wanted:
        raise InvalidInput(
            f"scopes must name at least one of: {', '.join(Scope)}"
            + (f"; unknown: {', '.join(sorted(map(str, unknown)))}" if unknown else "")
        )
    return tuple(scope for scope in Scope if scope in wanted)
