"""Recall at any size: filters in one place, segments of vectors, revision and deletion.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0004_up.sql")
_DOWN = Path(__file__).with_name("0004_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
