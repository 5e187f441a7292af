"""A caller's keys: what each stands for, and what was said under it.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-30
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0013_up.sql")
_DOWN = Path(__file__).with_name("0013_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
