"""What agents said of their nudges, and what they intend now.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0006_up.sql")
_DOWN = Path(__file__).with_name("0006_down.sql")


def upgrade() -> None:
    """Make what is new."""
    run_file(_UP)


def downgrade() -> None:
    """Remove it."""
    run_file(_DOWN)
