"""Curation: how often memories are recalled, what was archived, and the last report.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0010_up.sql")
_DOWN = Path(__file__).with_name("0010_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
