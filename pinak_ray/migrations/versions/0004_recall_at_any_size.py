"""Recall at any size: filters in one place, segments of vectors, the rarest words first."""

from pinak_ray.migrations.sql_files import from_sql, run_statements

revision = "0004"
down_revision = "0003"
upgrade, _remove = from_sql(revision, ups=("up", "words", "meaning"))


def downgrade() -> None:
    """Remove it, and bring back the search functions as they were."""
    _remove()
    run_statements("0001_search.sql", "FUNCTION pinak.lexical_candidates(")
    run_statements("0001_isolation.sql", "pinak.lexical_candidates(")
    run_statements("0003_up.sql", "pinak.window_candidates(")
