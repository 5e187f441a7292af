"""BoardHandle: a blackboard shared by a team."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pinak_ray.client.handles.checks import (
    checked_version,
    post_operation,
    read_operation,
    watch_operation,
)
from pinak_ray.client.handles.handle import Handle
from pinak_ray.client.verbs import verb
from pinak_ray.client.watch import watching
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_WAIT_S,
    check_name,
    check_ttl,
)
from pinak_ray.records.memories import Ack
from pinak_ray.records.operations import (
    Post,
    Read,
    Watch,
)
from pinak_ray.records.state import EntryKind, Owner, Space

__all__ = ["BoardHandle"]


@dataclass(frozen=True, slots=True, repr=False)
class BoardHandle(Handle):
    """A blackboard shared by a team."""

    @verb
    def post(
        self,
        content: str,
        *,
        author: str,
        kind: EntryKind | str = EntryKind.FINDING,
        key: str | None = None,
        details: Mapping[str, Any] | None = None,
        ttl_s: float | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Post:
        """Post a finding, a contradiction or a public entry; returns a Receipt.

        A public entry needs a `key`: posting to the same key replaces it and raises its version,
        under compare-and-set when `expected_version` is given.
        """
        owner = Owner(self.swarm.namespace_id, Space.BOARD, self.name)
        post = post_operation(owner, author, content, kind, details, idempotency_key, ack)
        if (post.kind is EntryKind.PUBLIC) != (key is not None):
            raise InvalidInput("a public entry has a key, and no other entry has one")
        if expected_version is not None and key is None:
            raise InvalidInput("expected_version belongs to a public entry")
        check_ttl(ttl_s)
        return post._replace(
            key=None if key is None else check_name("key", key),
            ttl_s=ttl_s,
            expected_version=checked_version(expected_version),
        )

    @verb
    def read(
        self, *, after: int = 0, kinds: Iterable[EntryKind | str] = (), limit: int = 100
    ) -> Read:
        """Read entries past a sequence number, oldest first; returns a tuple of Entry."""
        return read_operation(
            Owner(self.swarm.namespace_id, Space.BOARD, self.name), after, kinds, limit
        )

    @watching
    def watch(
        self,
        *,
        after: int = 0,
        kinds: Iterable[EntryKind | str] = (),
        authors: Iterable[str] = (),
        prefix: str | None = None,
        limit: int = 100,
        wait_s: float = MAX_WAIT_S,
    ) -> Watch:
        """Watch the board: `async for entry in board.watch(after=cursor)`.

        Entries of any of these kinds and authors, with `prefix` only public ones whose key starts
        so; `limit` of them a page, each page waited for up to `wait_s` seconds at a time.
        """
        owner = Owner(self.swarm.namespace_id, Space.BOARD, self.name)
        return watch_operation(owner, after, kinds, authors, prefix, limit, wait_s)
