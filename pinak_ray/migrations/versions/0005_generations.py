"""Generations: what makes a cached answer stale.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0005_up.sql")
_DOWN = Path(__file__).with_name("0005_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
