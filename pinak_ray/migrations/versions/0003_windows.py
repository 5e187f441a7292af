"""Windows: what was said around each memory of a session.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0003_up.sql")
_DOWN = Path(__file__).with_name("0003_down.sql")


def _run(path: Path) -> None:
    for statement in path.read_text(encoding="utf-8").split("\n----\n"):
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    """Make the tables and functions, and have the windows of what is there written."""
    _run(_UP)


def downgrade() -> None:
    """Remove them, and the windows' vectors."""
    _run(_DOWN)
