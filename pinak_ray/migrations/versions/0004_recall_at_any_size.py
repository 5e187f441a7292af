"""Recall at any size: filters in one place, segments of vectors, the rarest words first.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21
"""

from pathlib import Path

from pinak_ray.migrations.sql_files import run_file, run_statements

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_HERE = Path(__file__).parent


def upgrade() -> None:
    """Make what is new, and search functions that take the filters as one."""
    for name in ("0004_up.sql", "0004_words.sql", "0004_meaning.sql"):
        run_file(_HERE / name)


def downgrade() -> None:
    """Remove it, and bring back the search functions as they were."""
    run_file(_HERE / "0004_down.sql")
    run_statements(_HERE / "0001_search.sql", "FUNCTION pinak.lexical_candidates(")
    run_statements(_HERE / "0001_isolation.sql", "pinak.lexical_candidates(")
    run_statements(_HERE / "0003_up.sql", "pinak.window_candidates(")
