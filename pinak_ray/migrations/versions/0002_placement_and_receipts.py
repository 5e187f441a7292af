"""Where hosts are, and what a lane's last batch was answered.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-21
"""

from pathlib import Path

from alembic import op

from pinak_ray.migrations.sql_files import run_file

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0002_up.sql")


def upgrade() -> None:
    """Make both tables."""
    run_file(_UP)


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("batch_receipts", schema="pinak")
    op.drop_table("placement", schema="pinak")
