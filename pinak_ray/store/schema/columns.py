"""What many tables have: a namespace, a moment, a memory that they go with."""

from sqlalchemy import Column, DateTime, ForeignKeyConstraint, Integer, MetaData, text

from pinak_ray.store.database import SCHEMA

__all__ = ["METADATA", "MOMENT", "namespace_id", "now", "of_memory"]

METADATA = MetaData(schema=SCHEMA)
MOMENT = DateTime(timezone=True)


def namespace_id() -> Column[int]:
    """Return the column that leads each table's key, and by which its rows are kept apart."""
    return Column("namespace_id", Integer, primary_key=True, autoincrement=False)


def now(name: str) -> Column[object]:
    """Return a column that says when its row was written."""
    return Column(name, MOMENT, nullable=False, server_default=text("now()"))


def of_memory(column: str, name: str) -> ForeignKeyConstraint:
    """Return the constraint by which a row goes with the memory that a column names."""
    return ForeignKeyConstraint(
        ["namespace_id", column],
        [f"{SCHEMA}.memories.namespace_id", f"{SCHEMA}.memories.id"],
        name=name,
        ondelete="CASCADE",
    )
