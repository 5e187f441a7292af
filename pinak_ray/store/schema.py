"""The tables as the code sees them; `tests/migration` proves that the migrated schema agrees.

SQLAlchemy describes tables here for Alembic's comparison only: no query is built from it.
"""

from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL, TSVECTOR

from pinak_ray.store.database import SCHEMA

__all__ = ["METADATA", "SCHEMA"]

METADATA = MetaData(schema=SCHEMA)

_MOMENT = DateTime(timezone=True)


def _namespace_id() -> Column[int]:
    return Column("namespace_id", Integer, primary_key=True, autoincrement=False)


def _created_at() -> Column[object]:
    return Column("created_at", _MOMENT, nullable=False, server_default=text("now()"))


namespaces = Table(
    "namespaces",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("project", Text, nullable=False),
    _created_at(),
    UniqueConstraint("tenant", "project", name="namespaces_key"),
)

memories = Table(
    "memories",
    METADATA,
    _namespace_id(),
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
    Column("occurred_at", _MOMENT, nullable=False, server_default=text("now()")),
    _created_at(),
    Column("expires_at", _MOMENT),
    Column("superseded_by", Uuid),
    Column("superseded_at", _MOMENT),
    Column("source", Text),
    Column("content_hash", LargeBinary, nullable=False),
    Column("lexemes", TSVECTOR, nullable=False),
    Column("write_key", Uuid),
    Column("says", LargeBinary),
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
    Index("memories_failures", "namespace_id", "id", postgresql_where=text("outcome = 'failure'")),
)

forgotten = Table(
    "forgotten",
    METADATA,
    _namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("forgotten_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index("forgotten_by_time", "forgotten_at"),
)

embedding_models = Table(
    "embedding_models",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("metric", Text, nullable=False, server_default=text("'cosine'")),
    _created_at(),
    Column("spec", JSONB),
    UniqueConstraint("name", "revision", "dimension", name="embedding_models_key"),
)

serving_model = Table(
    "serving_model",
    METADATA,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("model_id", Integer, ForeignKey(embedding_models.c.id), nullable=False),
    Column("previous_id", Integer, ForeignKey(embedding_models.c.id, ondelete="SET NULL")),
    Column("changed_at", _MOMENT, nullable=False, server_default=text("now()")),
)

backfills = Table(
    "backfills",
    METADATA,
    Column(
        "model_id",
        Integer,
        ForeignKey(embedding_models.c.id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("kind", SmallInteger, nullable=False, server_default=text("0")),
    Column("after_namespace", Integer, nullable=False, server_default=text("0")),
    Column("after_memory", Uuid, nullable=False, server_default=text(f"'{UUID(int=0)}'")),
    Column("starts_after", BigInteger),
    Column("embedded", BigInteger, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("began_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("swept_at", _MOMENT),
)

backfill_queue = Table(
    "backfill_queue",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "model_id", Integer, ForeignKey(embedding_models.c.id, ondelete="CASCADE"), nullable=False
    ),
    Column("kind", SmallInteger, nullable=False),
    Column("namespace_ids", ARRAY(Integer), nullable=False),
    Column("memory_ids", ARRAY(Uuid), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("queued_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("due_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("error", Text),
    Index("backfill_queue_by_model", "model_id", "due_at", "id"),
    Index("backfill_queue_refused", text("(memory_ids[1])"), postgresql_where=text("attempts > 0")),
)

recorded_queries = Table(
    "recorded_queries",
    METADATA,
    _namespace_id(),
    Column("slot", SmallInteger, primary_key=True, autoincrement=False),
    Column("query", Text, nullable=False),
    Column("recorded_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index("recorded_queries_by_time", "recorded_at"),
)

memory_vectors = Table(
    "memory_vectors",
    METADATA,
    _namespace_id(),
    Column("model_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, server_default=text("0"), autoincrement=False),
    Column("memory_id", Uuid, primary_key=True),
    Column("embedding", HALFVEC(), nullable=False),
    Column("seq", BigInteger, nullable=False, server_default=text("nextval('pinak.vector_seq')")),
    Index("memory_vectors_by_seq", "namespace_id", "model_id", "kind", "seq"),
)

segments = Table(
    "segments",
    METADATA,
    _namespace_id(),
    Column("model_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("first_seq", BigInteger, nullable=False),
    Column("end_seq", BigInteger, nullable=False),
    Column("settles_after", ARRAY(Text), nullable=False),
    Column("rows", BigInteger),
    _created_at(),
    Column("checked_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("replaced_at", _MOMENT),
)

memory_windows = Table(
    "memory_windows",
    METADATA,
    _namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("lexemes", TSVECTOR, nullable=False),
    Index("memory_windows_terms", "lexemes", text("(ARRAY[namespace_id])"), postgresql_using="gin"),
)

window_stats = Table(
    "window_stats",
    METADATA,
    _namespace_id(),
    Column("windows", BigInteger, nullable=False),
    Column("total_length", BigInteger, nullable=False),
)

memory_links = Table(
    "memory_links",
    METADATA,
    _namespace_id(),
    Column("from_id", Uuid, primary_key=True),
    Column("to_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("strength", Double, nullable=False),
    Column("author", Text),
    _created_at(),
    *(
        ForeignKeyConstraint(
            ["namespace_id", f"{end}_id"],
            ["pinak.memories.namespace_id", "pinak.memories.id"],
            name=f"memory_links_{end}",
            ondelete="CASCADE",
        )
        for end in ("from", "to")
    ),
    Index("memory_links_back", "namespace_id", "to_id", text("strength DESC")),
)

link_queue = Table(
    "link_queue",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("namespace_ids", ARRAY(Integer), nullable=False),
    Column("memory_ids", ARRAY(Uuid), nullable=False),
)

settling_sessions = Table(
    "settling_sessions",
    METADATA,
    _namespace_id(),
    Column("session", Text, primary_key=True),
    Column("from_id", Uuid, nullable=False),
    Column("pending", BigInteger, nullable=False),
    Column("last_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index("settling_sessions_by_time", "last_at"),
)

term_stats = Table(
    "term_stats",
    METADATA,
    _namespace_id(),
    Column("term", Text, primary_key=True),
    Column("documents", BigInteger, nullable=False),
)

corpus_stats = Table(
    "corpus_stats",
    METADATA,
    _namespace_id(),
    Column("documents", BigInteger, nullable=False),
    Column("total_length", BigInteger, nullable=False),
)

generations = Table(
    "generations",
    METADATA,
    _namespace_id(),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("n", BigInteger, nullable=False, server_default=text("1")),
    Column("folded", Boolean, nullable=False, server_default=text("false")),
    Index("generations_unfolded", "id", postgresql_where=text("NOT folded")),
)

index_queue = Table(
    "index_queue",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("namespace_ids", ARRAY(Integer), nullable=False),
    Column("memory_ids", ARRAY(Uuid), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("queued_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("namespace_id", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    Column("due_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("error", Text),
    Index("index_queue_in_turn", "urgent", "namespace_id", "queued_at", "id"),
)

shards = Table(
    "shards",
    METADATA,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("host", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("taken_at", _MOMENT, nullable=False, server_default=text("now()")),
)

placement = Table(
    "placement",
    METADATA,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    Column("hosts", ARRAY(Text), nullable=False),
    Column("dedicated", JSONB, nullable=False, server_default=text("'[]'")),
    Column("changed_at", _MOMENT, nullable=False, server_default=text("now()")),
)

batch_receipts = Table(
    "batch_receipts",
    METADATA,
    Column("lane", Uuid, primary_key=True),
    Column("host", Text, primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("receipts", LargeBinary, nullable=False),
    Column("committed_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index("batch_receipts_by_time", "committed_at"),
)

working_items = Table(
    "working_items",
    METADATA,
    _namespace_id(),
    Column("agent", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT),
    Column("operation_id", Uuid, nullable=False),
    Column("spent_keys", LargeBinary),
    Index("working_items_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

entries = Table(
    "entries",
    METADATA,
    _namespace_id(),
    Column("space", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("key", Text),
    Column("content", Text, nullable=False),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("version", BigInteger, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT),
    Column("operation_id", Uuid, nullable=False),
    Column("spent_keys", LargeBinary),
    Index("entries_by_seq", "namespace_id", "space", "owner", "seq", unique=True),
    Index("entries_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

nudges = Table(
    "nudges",
    METADATA,
    _namespace_id(),
    Column("id", Uuid, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("memory_id", Uuid, nullable=False),
    Column("operation_id", Uuid),
    Column("shown_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index("nudges_by_agent", "namespace_id", "agent", "memory_id"),
    Index("nudges_by_time", "shown_at"),
)

nudge_feedback = Table(
    "nudge_feedback",
    METADATA,
    _namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("voice", Text, primary_key=True, server_default=text("''")),
    Column("agent", Text, primary_key=True),
    Column("subject", Uuid, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("given_at", _MOMENT, nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["namespace_id", "memory_id"],
        [f"{SCHEMA}.memories.namespace_id", f"{SCHEMA}.memories.id"],
        name="nudge_feedback_memory",
        ondelete="CASCADE",
    ),
)

retrieval_feedback = Table(
    "retrieval_feedback",
    METADATA,
    _namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("question", Uuid, primary_key=True),
    Column("score", Double, nullable=False),
    Column("graded_at", _MOMENT, nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["namespace_id", "memory_id"],
        [f"{SCHEMA}.memories.namespace_id", f"{SCHEMA}.memories.id"],
        name="retrieval_feedback_memory",
        ondelete="CASCADE",
    ),
)

memory_access = Table(
    "memory_access",
    METADATA,
    _namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("accesses", BigInteger, nullable=False),
    Column("last_accessed_at", _MOMENT, nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["namespace_id", "memory_id"],
        [f"{SCHEMA}.memories.namespace_id", f"{SCHEMA}.memories.id"],
        name="memory_access_memory",
        ondelete="CASCADE",
    ),
)

memory_archive = Table(
    "memory_archive",
    METADATA,
    _namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("memory", JSONB, nullable=False),
    Column("links", JSONB, nullable=False),
    Column("accesses", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("archived_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index("memory_archive_by_time", "namespace_id", "archived_at"),
)

curations = Table(
    "curations",
    METADATA,
    _namespace_id(),
    Column("forget_after", Uuid, nullable=False),
    Column("merge_after", Uuid, nullable=False),
    Column("report", JSONB, nullable=False),
    Column("ended_at", _MOMENT, nullable=False, server_default=text("now()")),
)

signing_keys = Table(
    "signing_keys",
    METADATA,
    Column("kid", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    _created_at(),
    Column("retired_at", _MOMENT),
)

standing_intents = Table(
    "standing_intents",
    METADATA,
    _namespace_id(),
    Column("agent", Text, primary_key=True),
    Column("model_id", Integer, nullable=False),
    Column("intent", JSONB, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("embedding", HALFVEC(), nullable=False),
    Column("safe_similarity", Double, nullable=False),
    Column("intended_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT, nullable=False),
    Column("nudged_at", _MOMENT),
    Index("standing_intents_expiring", "expires_at"),
)

untold_failures = Table(
    "untold_failures",
    METADATA,
    _namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("queued_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("due_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("is_looked_at", Boolean, nullable=False, server_default=text("false")),
)

template_outcomes = Table(
    "template_outcomes",
    METADATA,
    _namespace_id(),
    Column("template_id", Uuid, primary_key=True),
    Column("run", Text, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("success", Boolean, nullable=False),
    Column("told_at", _MOMENT, nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["namespace_id", "template_id"],
        [f"{SCHEMA}.memories.namespace_id", f"{SCHEMA}.memories.id"],
        name="template_outcomes_memory",
        ondelete="CASCADE",
    ),
)

renamed_names = Table(
    "renamed_names",
    METADATA,
    _namespace_id(),
    Column("kind", Text, primary_key=True),
    Column("was", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("renamed_at", _MOMENT, nullable=False, server_default=text("now()")),
)
