"""What several verbs share: checks of their arguments, and operations that they build alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pinak_ray.records.commands import Command, checked_model
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_BUDGET_TOKENS,
    MAX_READ,
    MAX_SEQ,
    MAX_WAIT_S,
    check_details,
    check_labels,
    check_name,
    check_number,
    check_prefix,
    check_text,
    check_whole,
    named,
)
from pinak_ray.records.memory.memories import Ack, ack_level
from pinak_ray.records.operations import (
    Execute,
    Post,
    Read,
    Watch,
)
from pinak_ray.records.state.owners import KINDS, EntryKind, Owner
from pinak_ray.records.state.writes import new_execute, new_post

__all__ = [
    "checked_budget",
    "checked_version",
    "encoded_vector",
    "execute_operation",
    "kind_named",
    "post_operation",
    "read_operation",
    "watch_operation",
]


def encoded_vector(vector: Sequence[float] | None, dimension: int) -> bytes | None:
    """Return a caller's vector in halfvec form; raises WrongDimension and InvalidInput."""
    if vector is None:
        return None
    # Imported here: numpy takes a tenth of a second, and most callers bring no vectors.
    from pinak_ray.embedding import check_vector, encode_halfvec_one

    return encode_halfvec_one(check_vector(vector, dimension=dimension))


def kind_named(kind: EntryKind | str) -> EntryKind:
    """Return the kind of entry, or raise InvalidInput naming the choices."""
    return named(EntryKind, "kind", kind)


def checked_version(expected: int | None) -> int | None:
    """Return the version of a compare-and-set; raises InvalidInput."""
    return (
        None if expected is None else check_whole("expected_version", expected, low=0, high=MAX_SEQ)
    )


def checked_budget(budget_tokens: int) -> int:
    """Return a budget in tokens; raises InvalidInput."""
    return check_whole("budget_tokens", budget_tokens, low=1, high=MAX_BUDGET_TOKENS)


def post_operation(
    owner: Owner,
    author: str,
    content: str,
    kind: EntryKind | str,
    details: Mapping[str, Any] | None,
    idempotency_key: str | None,
    ack: Ack | str,
    *,
    key: str | None = None,
    ttl_s: float | None = None,
    expected_version: int | None = None,
) -> Post:
    """Return the operation that posts one entry; raises InvalidInput."""
    posted = kind_named(kind)
    if posted not in KINDS[owner.space]:
        names = ", ".join(KINDS[owner.space])
        raise InvalidInput(f"a {posted} cannot be posted here; choose one of: {names}")
    return new_post(
        owner,
        check_name("author", author),
        posted,
        check_text("content", content),
        b"{}" if details is None else check_details(details),
        ack=ack_level(ack),
        key=key,
        ttl_s=ttl_s,
        expected_version=expected_version,
        idempotency_key=idempotency_key,
    )


def execute_operation(
    owner: Owner,
    author: str,
    command: type[Command],
    idempotency_key: str | None,
    ack: Ack | str,
    **fields: Any,
) -> Execute[Any]:
    """Return the operation that carries out a command of these fields; raises InvalidInput."""
    return new_execute(
        owner,
        check_name("author", author),
        checked_model(command, **fields),
        ack=ack_level(ack),
        idempotency_key=idempotency_key,
    )


def read_operation(owner: Owner, after: int, kinds: Iterable[EntryKind | str], limit: int) -> Read:
    """Return the operation that reads entries; raises InvalidInput."""
    return Read(
        owner,
        check_whole("after", after, low=0, high=MAX_SEQ),
        tuple(kind_named(kind) for kind in kinds),
        check_whole("limit", limit, low=1, high=MAX_READ),
    )


def watch_operation(
    owner: Owner,
    after: int,
    kinds: Iterable[EntryKind | str],
    authors: Iterable[str],
    prefix: str | None,
    limit: int,
    wait_s: float,
) -> Watch:
    """Return the operation of one long poll; raises InvalidInput."""
    return Watch(
        owner,
        check_whole("after", after, low=0, high=MAX_SEQ),
        tuple(kind_named(kind) for kind in kinds),
        check_labels("authors", authors),
        None if prefix is None else check_prefix("prefix", prefix),
        check_whole("limit", limit, low=1, high=MAX_READ),
        check_number("wait_s", wait_s, low=0, high=MAX_WAIT_S),
    )
