"""Links between memories.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0007_up.sql")
_DOWN = Path(__file__).with_name("0007_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
