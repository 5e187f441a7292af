"""What recall reads, the models that its vectors are from, and what waits for the Indexer."""

from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from pinak_ray.store.schema.columns import METADATA, MOMENT, namespace_id, now

embedding_models = Table(
    "embedding_models",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("metric", Text, nullable=False, server_default=text("'cosine'")),
    now("created_at"),
    Column("spec", JSONB),
    UniqueConstraint("name", "revision", "dimension", name="embedding_models_key"),
)

serving_model = Table(
    "serving_model",
    METADATA,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("model_id", Integer, ForeignKey(embedding_models.c.id), nullable=False),
    Column("previous_id", Integer, ForeignKey(embedding_models.c.id, ondelete="SET NULL")),
    now("changed_at"),
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
    now("began_at"),
    Column("swept_at", MOMENT),
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
    now("queued_at"),
    now("due_at"),
    Column("error", Text),
    Index("backfill_queue_by_model", "model_id", "due_at", "id"),
    Index("backfill_queue_refused", text("(memory_ids[1])"), postgresql_where=text("attempts > 0")),
)

recorded_queries = Table(
    "recorded_queries",
    METADATA,
    namespace_id(),
    Column("slot", SmallInteger, primary_key=True, autoincrement=False),
    Column("query", Text, nullable=False),
    now("recorded_at"),
    Index("recorded_queries_by_time", "recorded_at"),
)

memory_vectors = Table(
    "memory_vectors",
    METADATA,
    namespace_id(),
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
    namespace_id(),
    Column("model_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("first_seq", BigInteger, nullable=False),
    Column("end_seq", BigInteger, nullable=False),
    Column("settles_after", ARRAY(Text), nullable=False),
    Column("rows", BigInteger),
    now("created_at"),
    now("checked_at"),
    Column("replaced_at", MOMENT),
)

memory_windows = Table(
    "memory_windows",
    METADATA,
    namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    Column("lexemes", TSVECTOR, nullable=False),
    Column("analysis", Integer, nullable=False, server_default=text("0")),
    Index(
        "memory_windows_to_analyse",
        "namespace_id",
        "memory_id",
        postgresql_where=text("analysis < 1"),
    ),
    Index("memory_windows_terms", "lexemes", text("(ARRAY[namespace_id])"), postgresql_using="gin"),
)

window_stats = Table(
    "window_stats",
    METADATA,
    namespace_id(),
    Column("windows", BigInteger, nullable=False),
    Column("total_length", BigInteger, nullable=False),
)

term_stats = Table(
    "term_stats",
    METADATA,
    namespace_id(),
    Column("term", Text, primary_key=True),
    Column("documents", BigInteger, nullable=False),
)

corpus_stats = Table(
    "corpus_stats",
    METADATA,
    namespace_id(),
    Column("documents", BigInteger, nullable=False),
    Column("total_length", BigInteger, nullable=False),
)

generations = Table(
    "generations",
    METADATA,
    namespace_id(),
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
    now("queued_at"),
    Column("namespace_id", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    now("due_at"),
    Column("error", Text),
    Index("index_queue_in_turn", "urgent", "namespace_id", "queued_at", "id"),
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
    namespace_id(),
    Column("session", Text, primary_key=True),
    Column("from_id", Uuid, nullable=False),
    Column("pending", BigInteger, nullable=False),
    now("last_at"),
    Index("settling_sessions_by_time", "last_at"),
)
