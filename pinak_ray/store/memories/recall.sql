-- Hybrid search in three statements: what shares words with the query needs no vector of it, so that
-- `words` runs while the query is embedded; `meaning` finds what lies near that vector, and `read` looks up
-- what either found. Each has its own snapshot: what is forgotten meanwhile is not returned; of a memory
-- that is revised meanwhile the answer has the old version, or the new one, and never both or none.
--
-- Filters are eleven parameters in a row (null: any).

-- The best by own words, and by the window's. $1 the query's terms, $2 and $3 how many, $4 to $14
-- filters, $15 how many there must be, if there are so many.
-- name: words
WITH asked AS MATERIALIZED (
    SELECT ROW(
        $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
        $11::text, $12::timestamptz, $13::timestamptz, $14::timestamptz)::pinak.filters AS f
)
SELECT
    ARRAY(SELECT c.id FROM pinak.lexical_candidates(
        $1, $2::integer, asked.f, wanted => $15::integer) AS c) AS own,
    ARRAY(SELECT c.id FROM pinak.window_candidates($1, $3::integer, asked.f) AS c) AS windows
FROM asked

-- The best by own meaning, and by the window's. $1 model, $2 query vector, $3 and $4 how many, $5 to $7
-- what is known of own meaning, $8 to $10 of the window's (see pinak.known), $11 to $21 filters.
-- name: meaning
WITH asked AS MATERIALIZED (
    SELECT ROW(
        $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
        $18::text, $19::timestamptz, $20::timestamptz, $21::timestamptz)::pinak.filters AS f
)
SELECT
    ARRAY(SELECT n.id FROM pinak.nearest(
        $1, 0::smallint, $2::halfvec, $3::integer, asked.f,
        ROW($5::uuid[], $6::float8[], $7::bigint)::pinak.known) AS n) AS own,
    ARRAY(SELECT n.id FROM pinak.nearest(
        $1, 1::smallint, $2::halfvec, $4::integer, asked.f,
        ROW($8::uuid[], $9::float8[], $10::bigint)::pinak.known) AS n) AS windows
FROM asked

-- What was found, with every signal of each. $1 namespace, $2 model, $3 query vector, $4 ids, $5 the
-- query's terms, $6 and $7 whether its words are asked in own text and in the window's, $8 (by id) and $9 whether its
-- meaning is. Null where there is none.
--
-- Each is looked up by its key (OFFSET 0): the planner takes it for cheaper to read a namespace of 10k
-- whole, which took 13 ms more.
-- name: read
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source, m.expires_at,
    1 - (v.embedding <=> $3::halfvec) AS dense,
    s.own_score AS lexical,
    1 - (w.embedding <=> $3::halfvec) AS window_dense,
    s.window_score AS window_lexical
FROM unnest($4::uuid[], $8::boolean[]) AS found (id, own)
CROSS JOIN LATERAL (
    SELECT * FROM pinak.memories AS m
    WHERE m.namespace_id = $1 AND m.id = found.id AND m.expires_at IS DISTINCT FROM '-infinity'
        AND (m.superseded_by = ANY ($4)) IS NOT TRUE
    OFFSET 0
) AS m
LEFT JOIN LATERAL (
    SELECT embedding FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = 0 AND memory_id = found.id AND found.own
    OFFSET 0
) AS v ON true
LEFT JOIN LATERAL (
    SELECT embedding FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = 1 AND memory_id = found.id
        AND $9 AND m.session IS NOT NULL
    OFFSET 0
) AS w ON true
LEFT JOIN pinak.text_scores($5, $4, $6, $7) AS s ON s.id = found.id
ORDER BY m.id

-- $1 namespace, $2 ids.
-- name: contents
SELECT id, content_hash FROM pinak.memories WHERE namespace_id = $1 AND id = ANY ($2)

-- $1 namespace, $2 how many, $3 after how many, $4 to $14 the filters.
-- name: recent
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source, m.expires_at,
    extract(epoch FROM m.occurred_at)::float8 AS recency
FROM pinak.memories AS m
WHERE m.namespace_id = $1 AND pinak.passes(m, ROW(
    $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text, $12::timestamptz, $13::timestamptz, $14::timestamptz)::pinak.filters)
ORDER BY m.occurred_at DESC, m.id DESC
LIMIT $2 OFFSET $3

-- $1 namespace, $2 the words, $3 what narrows the search for them, $4 how many, $5 after how many of these,
-- $6 to $16 the filters.
-- name: exact
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source, m.expires_at,
    extract(epoch FROM m.occurred_at)::float8 AS phrase
FROM pinak.phrase_candidates($2, $3::text::tsquery, $4::integer, ROW(
    $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
    $13::text, $14::timestamptz, $15::timestamptz, $16::timestamptz)::pinak.filters)
    WITH ORDINALITY AS found (id, place)
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = found.id
WHERE found.place > $5::bigint
ORDER BY found.place
