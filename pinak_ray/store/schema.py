"""The tables as the code sees them; `tests/migration` proves that the migrated schema agrees.

SQLAlchemy describes tables here for Alembic's comparison only: no query is built from it.
"""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
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
    Column("source", Text),
    Column("content_hash", LargeBinary, nullable=False),
    Column("lexemes", TSVECTOR, nullable=False),
    Index(
        "memories_terms",
        "lexemes",
        "tags",
        "entities",
        text("(ARRAY[namespace_id])"),
        postgresql_using="gin",
    ),
    Index("memories_by_time", "namespace_id", "occurred_at"),
    Index("memories_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    Index(
        "memories_by_session",
        "namespace_id",
        "session",
        "id",
        postgresql_where=text("session IS NOT NULL"),
    ),
    Index("memories_failures", "namespace_id", "id", postgresql_where=text("outcome = 'failure'")),
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
    UniqueConstraint("name", "revision", "dimension", name="embedding_models_key"),
)

memory_vectors = Table(
    "memory_vectors",
    METADATA,
    _namespace_id(),
    Column("model_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, server_default=text("0"), autoincrement=False),
    Column("memory_id", Uuid, primary_key=True),
    Column("embedding", HALFVEC(), nullable=False),
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

index_queue = Table(
    "index_queue",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("namespace_ids", ARRAY(Integer), nullable=False),
    Column("memory_ids", ARRAY(Uuid), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("queued_at", _MOMENT, nullable=False, server_default=text("now()")),
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
    Index("entries_by_seq", "namespace_id", "space", "owner", "seq", unique=True),
    Index("entries_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
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
