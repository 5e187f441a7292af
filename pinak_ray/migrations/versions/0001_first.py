"""First schema: namespaces, memories, vectors, term statistics, agent state, shards, keys.

Revision ID: 0001
Revises:
Create Date: 2026-11-21
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = Path(__file__).with_name("0001_tables.sql")
_SEARCH = Path(__file__).with_name("0001_search.sql")
_ISOLATION = Path(__file__).with_name("0001_isolation.sql")
_DOWN = Path(__file__).with_name("0001_down.sql")


def _run(path: Path) -> None:
    # asyncpg prepares each statement alone; `----` stands between them in the files.
    for statement in path.read_text(encoding="utf-8").split("\n----\n"):
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    """Make everything."""
    for path in (_TABLES, _SEARCH, _ISOLATION):
        _run(path)


def downgrade() -> None:
    """Remove everything but the extension and the role, which other databases may share."""
    _run(_DOWN)
