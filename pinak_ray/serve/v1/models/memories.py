"""Bodies and answers of `/v1/memories`."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, SkipValidation

from pinak_ray.records.memory.memories import Ack, Layer, Memory, new_memory
from pinak_ray.records.memory.revisions import Revision, StoredMemory, new_revision
from pinak_ray.records.state.owners import Owner
from pinak_ray.serve.v1.models.base import (
    AckField,
    Answer,
    Body,
    Details,
    KeyField,
    LayerField,
    Moment,
    NameField,
    OutcomeField,
    SourceField,
    TextField,
    TtlField,
    VectorField,
)

__all__ = [
    "MAX_BATCH",
    "FateAnswer",
    "FatesAnswer",
    "HistoryAnswer",
    "MemoryItem",
    "ReceiptAnswer",
    "RememberBatchBody",
    "RememberBody",
    "ReviseBody",
]

# What one Writer takes in a group commit; larger sets are sent as several batches.
MAX_BATCH = 256

_EXAMPLE: dict[str, Any] = {
    "content": "rollout blocked: migration 42 locks orders",
    "agent": "deployer",
    "layer": "episodic",
    "outcome": "failure",
    "tags": ["orders", "migration"],
}


class MemoryItem(Body):
    """One memory to store."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    content: TextField = Field(description="The text to remember: at most 64 KiB of UTF-8.")
    agent: NameField | None = Field(
        None, description="Who remembers; the token's subject if absent."
    )
    layer: LayerField = Layer.SEMANTIC
    session: NameField | None = None
    details: Details | None = None
    tags: list[NameField] = Field([], description="At most 64 labels to filter by.")
    entities: list[NameField] = Field([], description="At most 64 names that the content is about.")
    outcome: OutcomeField | None = Field(None, description="Nudges are built on failures.")
    salience: float = Field(0.5, ge=0, le=1)
    occurred_at: Moment | None = None
    ttl_s: TtlField | None = None
    source: SourceField | None = Field(None, description="Where it comes from, such as a URL.")
    vector: VectorField | None = None
    idempotency_key: KeyField | None = None

    def memory(
        self,
        namespace_id: int,
        agent: str,
        *,
        vector: bytes | None,
        idempotency_key: str | None,
        made: UUID | None = None,
    ) -> Memory:
        """Return the checked memory; raises InvalidInput."""
        return new_memory(
            namespace_id,
            agent,
            self.content,
            layer=self.layer,
            session=self.session,
            details=self.details,
            tags=self.tags,
            entities=self.entities,
            outcome=self.outcome,
            salience=self.salience,
            occurred_at=self.occurred_at,
            ttl_s=self.ttl_s,
            source=self.source,
            vector=vector,
            idempotency_key=idempotency_key,
            made=made,
        )


class RememberBody(MemoryItem):
    """One memory to store, and how far it must have come before the receipt."""

    ack: AckField | None = None


class ReviseBody(Body):
    """What is now said instead of a memory; what is not given stays as it was."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "orders has 2 locks"}]})

    content: TextField = Field(description="The new text: at most 64 KiB of UTF-8.")
    agent: NameField | None = Field(None, description="Who revises; the token's subject if absent.")
    layer: LayerField | None = None
    session: NameField | None = None
    details: Details | None = None
    tags: list[NameField] | None = None
    entities: list[NameField] | None = None
    outcome: OutcomeField | None = None
    salience: float | None = Field(None, ge=0, le=1)
    occurred_at: Moment | None = None
    ttl_s: TtlField | None = None
    source: SourceField | None = None
    vector: VectorField | None = None
    idempotency_key: KeyField | None = None
    ack: AckField | None = None

    def revision(
        self,
        owner: Owner,
        memory_id: str,
        *,
        vector: bytes | None,
        idempotency_key: str | None,
        made: UUID | None = None,
    ) -> Revision:
        """Return the checked revision; raises InvalidInput."""
        return new_revision(
            owner.namespace_id,
            owner.name,
            memory_id,
            self.content,
            layer=self.layer,
            session=self.session,
            details=self.details,
            tags=self.tags,
            entities=self.entities,
            outcome=self.outcome,
            salience=self.salience,
            occurred_at=self.occurred_at,
            ttl_s=self.ttl_s,
            source=self.source,
            vector=vector,
            idempotency_key=idempotency_key,
            made=made,
        )


class RememberBatchBody(Body):
    """Memories to store; each is checked on its own, so that a bad one fails alone."""

    memories: list[Annotated[MemoryItem, SkipValidation]] = Field(
        min_length=1, max_length=MAX_BATCH
    )
    ack: AckField | None = None


class ReceiptAnswer(Answer):
    """What a write returns; `new` is false when a retry met its own earlier write."""

    id: UUID
    ack: Ack
    new: bool
    version: int | None = Field(description="Of the working item or public entry; else null.")


class FateAnswer(Answer):
    """What became of one item: a receipt (status 200 or 201) or a problem."""

    status: int
    receipt: ReceiptAnswer | None = None
    problem: dict[str, Any] | None = None


class FatesAnswer(Answer):
    """What became of each item, in the order of the request."""

    results: list[FateAnswer]


class HistoryAnswer(Answer):
    """One memory, and the newest of all that superseded one another around it, oldest first."""

    memory: StoredMemory
    history: list[StoredMemory] = Field(description="Some 4 MiB at most; it itself is among all.")
    before: UUID | None = Field(
        description="Give it as `before` to read older versions; null where there are none."
    )
