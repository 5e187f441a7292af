"""BoardHandle: a blackboard shared by a team."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack
from uuid import UUID

from pinak_ray.client.handles.board.tasks import BoardTasks
from pinak_ray.client.handles.board.thinking import BoardThinking
from pinak_ray.client.handles.checks import (
    checked_version,
    kind_named,
    post_operation,
    read_operation,
    watch_operation,
)
from pinak_ray.client.handles.learning import BoardLearning
from pinak_ray.client.verbs import verb
from pinak_ray.client.watch import watching
from pinak_ray.records.board.findings import FindingType, PostFinding
from pinak_ray.records.board.notes import Notes, NotesAnswer, Tell
from pinak_ray.records.board.open_points import OpenPoints, OpenPointsAnswer
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_WAIT_S,
    check_name,
    check_ttl,
)
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import (
    Execute,
    Query,
    Read,
    Watch,
)
from pinak_ray.records.state.owners import EntryKind
from pinak_ray.records.wiring import Operation

__all__ = ["BoardHandle"]


class FindingFields(TypedDict, total=False):
    """What only a finding has."""

    type: FindingType | str
    source_url: str | None
    source_title: str | None
    confidence: float
    questions: Iterable[UUID | str]
    verified: bool


@dataclass(frozen=True, slots=True, repr=False)
class BoardHandle(BoardTasks, BoardThinking, BoardLearning):
    """A blackboard shared by a team.

    Example::

        board = swarm.board("release-7")
        await board.post("the schema is frozen", author="ada", confidence=0.9)
        task = await board.add_task("write the migration", author="ada")
        claim = await board.claim(author="bob")
        await board.finish(task.id, author="bob", output="migration 42", version=claim.version)
        entries = await board.read()
    """

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
        **finding: Unpack[FindingFields],
    ) -> Operation[Receipt]:
        """Post a finding or a public entry; returns a Receipt.

        A finding has a `type` (fact, statistic, definition, procedure, contact, contradiction), a
        `source_url` and `source_title`, a `confidence` from 0 to 1, `questions` that it bears on,
        by id or key, and may be `verified`. The same content again is the same finding, which
        unites what is said of it. Raises NotFound for a question that is not on the board.

        A public entry needs a `key`: posting to the same key replaces it and raises its version,
        under compare-and-set when `expected_version` is given.
        """
        if (kind_named(kind) is EntryKind.PUBLIC) != (key is not None):
            raise InvalidInput("a public entry has a key, and no other entry has one")
        if expected_version is not None and key is None:
            raise InvalidInput("expected_version belongs to a public entry")
        check_ttl(ttl_s)
        if kind_named(kind) is EntryKind.FINDING:
            return self._execute(
                PostFinding, author, idempotency_key, ack,
                content=content, ttl_s=ttl_s, details={} if details is None else details,
                **{**finding, "questions": [str(q) for q in finding.get("questions", ())]},
            )  # fmt: skip
        if finding:
            raise InvalidInput(f"{', '.join(finding)} belong to a finding")
        return post_operation(
            self.owner, author, content, kind, details, idempotency_key, ack,
            key=None if key is None else check_name("key", key),
            ttl_s=ttl_s,
            expected_version=checked_version(expected_version),
        )  # fmt: skip

    @verb
    def tell(
        self,
        content: str,
        *,
        author: str,
        to: str | None = None,
        recommendation: str | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Leave a note for all agents, or `to` one of them; returns a Receipt."""
        return self._execute(
            Tell, author, idempotency_key, ack,
            content=content, to=to, recommendation=recommendation,
        )  # fmt: skip

    @verb
    def notes(
        self, *, reader: str | None = None, limit: int = 5, skip: int = 0
    ) -> Query[NotesAnswer]:
        """Read the newest notes for a `reader`, those to all included; without one, all notes."""
        return self._query(Notes, reader=reader, limit=limit, skip=skip)

    @verb
    def open_points(
        self, *, reader: str, limit: int = 100, skip: int = 0
    ) -> Query[OpenPointsAnswer]:
        """Read what is open on the board, what concerns the `reader` alone first.

        Its own tasks and those that can be executed, notes to it and to all, contradictions that
        nobody has resolved, and questions without an answer, with their gaps.
        """
        return self._query(OpenPoints, reader=reader, limit=limit, skip=skip)

    @verb
    def read(
        self, *, after: int = 0, kinds: Iterable[EntryKind | str] = (), limit: int = 100
    ) -> Read:
        """Read entries past a sequence number, oldest first; returns a tuple of Entry.

        At most `limit` of them, fewer where they would be more than 4 MiB: read on past the last
        one's `seq` until nothing comes.
        """
        return read_operation(self.owner, after, kinds, limit)

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

        Entries of any of these kinds and authors, with `prefix` only those whose key starts
        so; `limit` of them a page, each page waited for up to `wait_s` seconds at a time.
        """
        return watch_operation(self.owner, after, kinds, authors, prefix, limit, wait_s)
