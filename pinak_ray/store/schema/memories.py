"""What is remembered, and what memories, nudges and templates turned out to be worth."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL, TSVECTOR

from pinak_ray.store.schema.columns import METADATA, MOMENT, namespace_id, now, of_memory

namespaces = Table(
    "namespaces",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("project", Text, nullable=False),
    now("created_at"),
    UniqueConstraint("tenant", "project", name="namespaces_key"),
)

memories = Table(
    "memories",
    METADATA,
    namespace_id(),
    Column("id", Uuid, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("session", Text),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("entities", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("outcome", Text),
    Column("salience", REAL, nullable=False, server_default=text("0.5")),
    now("occurred_at"),
    now("created_at"),
    Column("expires_at", MOMENT),
    Column("superseded_by", Uuid),
    Column("superseded_at", MOMENT),
    Column("source", Text),
    Column("content_hash", LargeBinary, nullable=False),
    Column("lexemes", TSVECTOR, nullable=False, server_default=text("''")),
    Column("write_key", Uuid),
    Column("says", LargeBinary),
    Column("written_by", Text),
    Column("analysis", Integer, nullable=False, server_default=text("0")),
    Index(
        "memories_by_write_key",
        "namespace_id",
        "write_key",
        unique=True,
        postgresql_where=text("write_key IS NOT NULL"),
    ),
    Index(
        "memories_terms",
        "lexemes",
        "tags",
        "entities",
        text("(ARRAY[namespace_id])"),
        postgresql_using="gin",
    ),
    Index("memories_by_time", "namespace_id", "occurred_at"),
    Index("memories_by_agent", "namespace_id", "agent", "id"),
    Index("memories_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    Index(
        "memories_by_session",
        "namespace_id",
        "session",
        "id",
        postgresql_where=text("session IS NOT NULL"),
    ),
    Index(
        "memories_superseded",
        "namespace_id",
        "superseded_by",
        postgresql_where=text("superseded_by IS NOT NULL"),
    ),
    Index("memories_to_analyse", "namespace_id", "id", postgresql_where=text("analysis < 1")),
    Index("memories_failures", "namespace_id", "id", postgresql_where=text("outcome = 'failure'")),
)

forgotten = Table(
    "forgotten",
    METADATA,
    namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    now("forgotten_at"),
    Index("forgotten_by_time", "forgotten_at"),
)

memory_links = Table(
    "memory_links",
    METADATA,
    namespace_id(),
    Column("from_id", Uuid, primary_key=True),
    Column("to_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("strength", Double, nullable=False),
    Column("author", Text),
    now("created_at"),
    of_memory("from_id", "memory_links_from"),
    of_memory("to_id", "memory_links_to"),
    Index("memory_links_back", "namespace_id", "to_id", text("strength DESC")),
)

memory_access = Table(
    "memory_access",
    METADATA,
    namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("accesses", BigInteger, nullable=False),
    now("last_accessed_at"),
    of_memory("memory_id", "memory_access_memory"),
)

memory_archive = Table(
    "memory_archive",
    METADATA,
    namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("memory", JSONB, nullable=False),
    Column("links", JSONB, nullable=False),
    Column("accesses", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    now("archived_at"),
    Index("memory_archive_by_time", "namespace_id", "archived_at"),
)

curations = Table(
    "curations",
    METADATA,
    namespace_id(),
    Column("forget_after", Uuid, nullable=False),
    Column("merge_after", Uuid, nullable=False),
    Column("report", JSONB, nullable=False),
    now("ended_at"),
)

renamed_names = Table(
    "renamed_names",
    METADATA,
    namespace_id(),
    Column("kind", Text, primary_key=True),
    Column("was", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("joined", Boolean, nullable=False),
    now("renamed_at"),
)

nudges = Table(
    "nudges",
    METADATA,
    namespace_id(),
    Column("id", Uuid, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("memory_id", Uuid, nullable=False),
    Column("operation_id", Uuid),
    now("shown_at"),
    Index("nudges_by_agent", "namespace_id", "agent", "memory_id"),
    Index("nudges_by_time", "shown_at"),
)

nudge_feedback = Table(
    "nudge_feedback",
    METADATA,
    namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("voice", Text, primary_key=True, server_default=text("''")),
    Column("agent", Text, primary_key=True),
    Column("subject", Uuid, primary_key=True),
    Column("verdict", Text, nullable=False),
    now("given_at"),
    of_memory("memory_id", "nudge_feedback_memory"),
)

retrieval_feedback = Table(
    "retrieval_feedback",
    METADATA,
    namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("question", Uuid, primary_key=True),
    Column("score", Double, nullable=False),
    now("graded_at"),
    of_memory("memory_id", "retrieval_feedback_memory"),
)

template_outcomes = Table(
    "template_outcomes",
    METADATA,
    namespace_id(),
    Column("template_id", Uuid, primary_key=True),
    Column("run", Text, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("success", Boolean, nullable=False),
    now("told_at"),
    of_memory("template_id", "template_outcomes_memory"),
)
