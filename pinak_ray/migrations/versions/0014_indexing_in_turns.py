"""Indexing takes namespaces in turn, outside a transaction, and tries again what was refused.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-30
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_UP = Path(__file__).with_name("0014_up.sql")
_DOWN = Path(__file__).with_name("0014_down.sql")


def upgrade() -> None:
    """Change both queues; what was set aside before counts as new."""
    run_file(_UP)


def downgrade() -> None:
    """Change them back; what waits to be tried again counts as new."""
    run_file(_DOWN)
