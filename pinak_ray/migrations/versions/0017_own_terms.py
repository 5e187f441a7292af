"""Terms are made by the program's own analyser: rows bring theirs, and questions come as terms."""

from pinak_ray.migrations.sql_files import from_sql, run_statements

revision = "0017"
down_revision = "0016"
upgrade, _remove = from_sql(revision)


def downgrade() -> None:
    """Have PostgreSQL make the terms again, and bring back the search functions as they were."""
    _remove()
    run_statements("0001_search.sql", "FUNCTION pinak.query_terms(")
    run_statements("0001_search.sql", "FUNCTION pinak.lexical_scores(")
    run_statements("0003_up.sql", "FUNCTION pinak.window_terms(")
    for name in ("selective_matcher", "lexical_candidates", "window_candidates", "text_scores"):
        run_statements("0004_words.sql", f"CREATE FUNCTION pinak.{name}(")
    run_statements("0004_words.sql", "CREATE FUNCTION pinak.phrase_candidates(")
    run_statements("0011_up.sql", "CREATE FUNCTION pinak.memories_saying(")
    run_statements("0017_rights.sql", "")
