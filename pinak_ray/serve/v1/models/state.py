"""Bodies and answers of working memory, scratchpads and boards."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, SkipValidation

from pinak_ray.records.board.findings import PostFinding
from pinak_ray.records.commands import checked_model
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.forms import ITEM_KEY_FORM
from pinak_ray.records.limits import (
    MAX_SEQ,
    check_details,
    check_item_key,
    check_json,
    check_name,
    check_text,
)
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Note, Post
from pinak_ray.records.state.owners import KINDS, EntryKind, Owner
from pinak_ray.records.state.writes import new_execute, new_note, new_post
from pinak_ray.records.wiring import Operation
from pinak_ray.serve.v1.models.base import (
    AckField,
    Answer,
    Body,
    Details,
    KeyField,
    KindField,
    NameField,
    TextField,
    TtlField,
)
from pinak_ray.serve.v1.models.memories import MAX_BATCH

__all__ = [
    "EntriesAnswer",
    "EntryBody",
    "NoteBatchBody",
    "NoteBody",
    "NoteItem",
    "PostBody",
    "WorkingAnswer",
    "WorkingItemAnswer",
]

VersionField = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_SEQ,
        description="Write only if it is at this version now; 0: only if it is new.",
    ),
]


class NoteBody(Body):
    """One working item's value."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"value": {"step": "migrate"}, "ttl_s": 3600}]}
    )

    value: Any = Field(description="Any JSON value of at most 64 KiB.")
    ttl_s: TtlField | None = None
    expected_version: VersionField | None = None
    idempotency_key: KeyField | None = None
    ack: AckField | None = None

    def note(
        self,
        owner: Owner,
        key: str,
        *,
        idempotency_key: str | None,
        ack: Ack,
        made: UUID | None = None,
    ) -> Note:
        """Return the checked operation; raises InvalidInput."""
        return new_note(
            owner,
            check_item_key(key),
            check_json("value", self.value),
            ttl_s=self.ttl_s,
            expected_version=self.expected_version,
            ack=ack,
            idempotency_key=idempotency_key,
            made=made,
        )


class NoteItem(NoteBody):
    """One working item of several."""

    key: Annotated[str, ITEM_KEY_FORM]


class NoteBatchBody(Body):
    """Working items to write; each is checked on its own, so that a bad one fails alone."""

    items: list[Annotated[NoteItem, SkipValidation]] = Field(min_length=1, max_length=MAX_BATCH)
    ack: AckField | None = None


class EntryBody(Body):
    """One entry of a scratchpad."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "observation", "content": "orders has 3 locks"}]}
    )

    kind: KindField
    content: TextField = Field(description="At most 64 KiB of UTF-8.")
    details: Details | None = None
    ttl_s: TtlField | None = None
    idempotency_key: KeyField | None = None
    ack: AckField | None = None

    def post(
        self,
        owner: Owner,
        author: str,
        *,
        idempotency_key: str | None,
        ack: Ack,
        made: UUID | None = None,
        key: str | None = None,
        expected_version: int | None = None,
    ) -> Post:
        """Return the checked operation; raises InvalidInput."""
        if self.kind not in KINDS[owner.space]:
            kinds = ", ".join(KINDS[owner.space])
            raise InvalidInput(f"{self.kind} does not belong here; choose one of: {kinds}")
        return new_post(
            owner,
            author,
            self.kind,
            check_text("content", self.content),
            b"{}" if self.details is None else check_details(self.details),
            ack=ack,
            key=key,
            ttl_s=self.ttl_s,
            expected_version=expected_version,
            idempotency_key=idempotency_key,
            made=made,
        )


class PostBody(EntryBody):
    """One entry of a board; a `public` entry has a key, under which it is replaced in place."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "finding", "content": "orders is locked"}]}
    )

    author: NameField | None = Field(None, description="Who posts; the token's subject if absent.")
    key: NameField | None = Field(None, description="Of a `public` entry, and of no other.")
    expected_version: VersionField | None = None

    def operation(
        self,
        owner: Owner,
        author: str,
        *,
        idempotency_key: str | None,
        ack: Ack,
        made: UUID | None = None,
    ) -> Operation[Receipt]:
        """Return the checked operation; raises InvalidInput."""
        key = self._checked_key()
        if self.kind is EntryKind.FINDING:
            given = {"details": self.details or {}, "ttl_s": self.ttl_s}
            command = checked_model(PostFinding, content=self.content, **given)
            return new_execute(
                owner, author, command, ack=ack, idempotency_key=idempotency_key, made=made
            )
        return self.post(
            owner,
            author,
            idempotency_key=idempotency_key,
            ack=ack,
            made=made,
            key=key,
            expected_version=self.expected_version,
        )

    def _checked_key(self) -> str | None:
        """Return the key of a public entry; raises InvalidInput where it is missing or idle."""
        if (self.kind is EntryKind.PUBLIC) != (self.key is not None):
            raise InvalidInput("a public entry needs a key, and no other entry takes one")
        if self.expected_version is not None and self.key is None:
            raise InvalidInput("expected_version belongs to a public entry")
        return None if self.key is None else check_name("key", self.key)


class WorkingItemAnswer(Answer):
    """One working item; versions start at 1 and rise by 1."""

    key: str
    value: Any
    version: int
    updated_at: datetime
    expires_at: datetime | None


class WorkingAnswer(Answer):
    """An agent's working items, by key."""

    items: list[WorkingItemAnswer]


class EntryAnswer(Answer):
    """One entry of a board or a scratchpad."""

    id: UUID
    seq: int
    kind: EntryKind
    author: str
    key: str | None
    content: str
    details: dict[str, Any]
    version: int
    created_at: datetime
    expires_at: datetime | None


class EntriesAnswer(Answer):
    """Entries, oldest first, at most some 4 MiB; give `cursor` as `after_seq` to read on."""

    entries: list[EntryAnswer]
    cursor: int
