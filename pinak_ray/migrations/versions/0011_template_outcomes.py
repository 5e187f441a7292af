"""What came of each run that used a thought template.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0011_up.sql")
_DOWN = Path(__file__).with_name("0011_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
