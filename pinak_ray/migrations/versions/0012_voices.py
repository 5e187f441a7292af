"""Feedback on nudges is counted by who is known to have given it, whichever agent that names.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-30
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0012_up.sql")
_DOWN = Path(__file__).with_name("0012_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
