"""First schema: namespaces, memories, vectors, term statistics, agent state, shards, keys.

Revision ID: 0001
Revises:
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = Path(__file__).with_name("0001_tables.sql")
_SEARCH = Path(__file__).with_name("0001_search.sql")
_ISOLATION = Path(__file__).with_name("0001_isolation.sql")
_DOWN = Path(__file__).with_name("0001_down.sql")


def upgrade() -> None:
    """Make everything."""
    for path in (_TABLES, _SEARCH, _ISOLATION):
        run_file(path)


def downgrade() -> None:
    """Remove everything but the extension and the role, which other databases may share."""
    run_file(_DOWN)
