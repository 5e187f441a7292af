"""What each recalled memory was worth for the question it was recalled for.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0009_up.sql")
_DOWN = Path(__file__).with_name("0009_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
