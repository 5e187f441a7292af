"""Agents, their hosts, what they intend, and the keys that sign for them."""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pinak_ray.store.schema.columns import METADATA, MOMENT, namespace_id, now

shards = Table(
    "shards",
    METADATA,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("host", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    now("taken_at"),
)

placement = Table(
    "placement",
    METADATA,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    Column("hosts", ARRAY(Text), nullable=False),
    Column("dedicated", JSONB, nullable=False, server_default=text("'[]'")),
    now("changed_at"),
)

batch_receipts = Table(
    "batch_receipts",
    METADATA,
    Column("lane", Uuid, primary_key=True),
    Column("host", Text, primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("receipts", LargeBinary, nullable=False),
    now("committed_at"),
    Index("batch_receipts_by_time", "committed_at"),
)

working_items = Table(
    "working_items",
    METADATA,
    namespace_id(),
    Column("agent", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT),
    Column("operation_id", Uuid, nullable=False),
    Column("spent_keys", LargeBinary),
    Index("working_items_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

entries = Table(
    "entries",
    METADATA,
    namespace_id(),
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
    Column("created_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT),
    Column("operation_id", Uuid, nullable=False),
    Column("spent_keys", LargeBinary),
    Index("entries_by_seq", "namespace_id", "space", "owner", "seq", unique=True),
    Index("entries_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

standing_intents = Table(
    "standing_intents",
    METADATA,
    namespace_id(),
    Column("agent", Text, primary_key=True),
    Column("model_id", Integer, nullable=False),
    Column("intent", JSONB, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("embedding", HALFVEC(), nullable=False),
    Column("safe_similarity", Double, nullable=False),
    Column("intended_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("nudged_at", MOMENT),
    Index("standing_intents_expiring", "expires_at"),
)

untold_failures = Table(
    "untold_failures",
    METADATA,
    namespace_id(),
    Column("memory_id", Uuid, primary_key=True),
    now("queued_at"),
    now("due_at"),
    Column("is_looked_at", Boolean, nullable=False, server_default=text("false")),
)

signing_keys = Table(
    "signing_keys",
    METADATA,
    Column("kid", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    now("created_at"),
    Column("retired_at", MOMENT),
)
