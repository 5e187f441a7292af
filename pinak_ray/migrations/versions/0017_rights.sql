-- Of the functions that a downgrade brings back.
REVOKE ALL ON FUNCTION
    pinak.query_terms(text),
    pinak.window_terms(text),
    pinak.selective_matcher(text, float8, float8),
    pinak.lexical_candidates(text, integer, pinak.filters, float8),
    pinak.lexical_scores(text, uuid[]),
    pinak.window_candidates(text, integer, pinak.filters),
    pinak.phrase_candidates(text, integer, pinak.filters),
    pinak.text_scores(text, uuid[], boolean, boolean),
    pinak.memories_saying(text[], bytea[])
    FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION
    pinak.query_terms(text),
    pinak.window_terms(text),
    pinak.lexical_candidates(text, integer, pinak.filters, float8),
    pinak.lexical_scores(text, uuid[]),
    pinak.window_candidates(text, integer, pinak.filters),
    pinak.phrase_candidates(text, integer, pinak.filters),
    pinak.text_scores(text, uuid[], boolean, boolean),
    pinak.memories_saying(text[], bytea[])
    TO pinak_app
