"""Windows: what was said around each memory of a session.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0003_up.sql")
_DOWN = Path(__file__).with_name("0003_down.sql")


def upgrade() -> None:
    """Make the tables and functions, and have the windows of what is there written."""
    run_file(_UP)


def downgrade() -> None:
    """Remove them, and the windows' vectors."""
    run_file(_DOWN)
