DROP FUNCTION pinak.memories_saying(tsquery[], bytea[])
----
DROP FUNCTION pinak.phrase_candidates(text, tsquery, integer, pinak.filters)
----
DROP FUNCTION pinak.literal(text)
----
DROP FUNCTION pinak.text_scores(text[], uuid[], boolean, boolean)
----
DROP FUNCTION pinak.window_candidates(text[], integer, pinak.filters)
----
DROP FUNCTION pinak.lexical_scores(text[], uuid[])
----
DROP FUNCTION pinak.lexical_candidates(text[], integer, pinak.filters, float8, integer)
----
DROP FUNCTION pinak.selective_matcher(text[], float8, float8)
----
DROP FUNCTION pinak.window_terms(text[])
----
DROP FUNCTION pinak.query_terms(text[])
----
ALTER TABLE pinak.memory_windows DROP COLUMN analysis
----
ALTER TABLE pinak.memories DROP COLUMN analysis, DROP COLUMN lexemes
----
ALTER TABLE pinak.memories ADD COLUMN lexemes tsvector NOT NULL GENERATED ALWAYS AS (
    to_tsvector('english'::regconfig,
        CASE WHEN session IS NULL THEN content ELSE agent || ': ' || content END)
) STORED
----
CREATE INDEX memories_terms ON pinak.memories
    USING gin (lexemes, tags, entities, (ARRAY[namespace_id]))
    WITH (fastupdate = on, gin_pending_list_limit = 4096)
----
-- Windows keep their terms; the rarity of all terms is counted anew.
TRUNCATE pinak.term_stats, pinak.corpus_stats
----
INSERT INTO pinak.term_stats (namespace_id, term, documents)
SELECT m.namespace_id, lexeme, count(*)
FROM pinak.memories AS m CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS lexeme
WHERE NOT EXISTS (SELECT FROM pinak.index_queue AS q WHERE m.id = ANY (q.memory_ids))
GROUP BY m.namespace_id, lexeme
----
INSERT INTO pinak.corpus_stats (namespace_id, documents, total_length)
SELECT m.namespace_id, count(*), sum(length(m.lexemes))
FROM pinak.memories AS m
WHERE NOT EXISTS (SELECT FROM pinak.index_queue AS q WHERE m.id = ANY (q.memory_ids))
GROUP BY m.namespace_id
