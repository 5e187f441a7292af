DO $$
DECLARE
    segment text;
BEGIN
    FOR segment IN SELECT format('pinak.segment_%s', id) FROM pinak.segments LOOP
        EXECUTE 'DROP TABLE IF EXISTS ' || segment;
    END LOOP;
END $$
----
DROP FUNCTION pinak.nearest(integer, smallint, halfvec, integer, pinak.filters, pinak.known)
----
DROP FUNCTION pinak.nearest_statement(integer, smallint, text)
----
DROP FUNCTION pinak.measured(integer, smallint, halfvec, pinak.known)
----
DROP TYPE pinak.known
----
DROP FUNCTION pinak.text_scores(text, uuid[], boolean, boolean)
----
DROP FUNCTION pinak.lexical_candidates(text, integer, pinak.filters, float8)
----
DROP FUNCTION pinak.window_candidates(text, integer, pinak.filters)
----
DROP FUNCTION pinak.phrase_candidates(text, integer, pinak.filters)
----
DROP FUNCTION pinak.has_windows()
----
DROP FUNCTION pinak.selective_matcher(text, float8, float8)
----
DROP FUNCTION pinak.passes(pinak.memories, pinak.filters)
----
DROP FUNCTION pinak.narrows(pinak.filters)
----
DROP TYPE pinak.filters
----
DROP TABLE pinak.segments
----
DROP INDEX pinak.memory_vectors_by_seq
----
ALTER TABLE pinak.memory_vectors DROP COLUMN seq
----
DROP INDEX pinak.memories_by_agent
----
DROP INDEX pinak.memories_superseded
----
ALTER TABLE pinak.memories DROP COLUMN superseded_at
