-- Hybrid search in one round trip. $1 namespace, $2 model, $3 query text, $4 query vector,
-- $5 to $8 how many candidates each signal brings: own meaning, own words, the window's meaning, the
-- window's words; $9 to $19 the filters (null: any); $20 to $23 what is known of own meaning, and $24
-- to $27 of the window's (see pinak.known). A memory without a window (it has no session, or
-- it has not settled) is a window of one: its own scores count twice.
--
-- What was found is looked up one by one (OFFSET 0): the planner takes it for cheaper to read a
-- namespace of 10k whole, which took 13 ms more.

-- name: candidates
WITH asked AS MATERIALIZED (
    SELECT ROW(
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
        $16::text, $17::timestamptz, $18::timestamptz, $19::timestamptz)::pinak.filters AS f
), dense AS MATERIALIZED (
    SELECT n.id, n.distance
    FROM asked CROSS JOIN LATERAL pinak.nearest(
        $2, 0::smallint, $4::halfvec, $5::integer, f,
        ROW($20::uuid[], $21::float8[], $22::bigint, $23::bigint)::pinak.known) AS n
), lexical AS MATERIALIZED (
    SELECT c.id
    FROM asked CROSS JOIN LATERAL pinak.lexical_candidates($3, $6::integer, f) AS c
), window_dense AS MATERIALIZED (
    SELECT n.id, n.distance
    FROM asked CROSS JOIN LATERAL pinak.nearest(
        $2, 1::smallint, $4::halfvec, $7::integer, f,
        ROW($24::uuid[], $25::float8[], $26::bigint, $27::bigint)::pinak.known) AS n
), window_lexical AS MATERIALIZED (
    SELECT c.id
    FROM asked CROSS JOIN LATERAL pinak.window_candidates($3, $8::integer, f) AS c
), found AS MATERIALIZED (
    SELECT id FROM dense UNION SELECT id FROM lexical
    UNION SELECT id FROM window_dense UNION SELECT id FROM window_lexical
)
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source, m.expires_at,
    1 - (v.embedding <=> $4::halfvec) AS dense,
    s.score AS lexical,
    1 - (coalesce(w.embedding, v.embedding) <=> $4::halfvec) AS window_dense,
    coalesce(ws.score, s.score) AS window_lexical,
    (SELECT count(*) FROM dense) AS dense_count,
    (SELECT count(*) FROM lexical) AS lexical_count,
    (SELECT count(*) FROM window_dense) AS window_dense_count,
    (SELECT count(*) FROM window_lexical) AS window_lexical_count
FROM found
CROSS JOIN LATERAL (
    SELECT * FROM pinak.memories WHERE namespace_id = $1 AND id = found.id OFFSET 0
) AS m
LEFT JOIN LATERAL (
    SELECT embedding FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = 0 AND memory_id = found.id
    OFFSET 0
) AS v ON true
LEFT JOIN LATERAL (
    SELECT embedding FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = 1 AND memory_id = found.id AND $7 > 0
    OFFSET 0
) AS w ON true
LEFT JOIN pinak.lexical_scores(
    CASE WHEN $6 > 0 THEN $3 ELSE '' END, ARRAY(SELECT id FROM found)) AS s ON s.id = found.id
LEFT JOIN pinak.window_scores(
    CASE WHEN $8 > 0 AND pinak.has_windows() THEN $3 ELSE '' END,
    ARRAY(SELECT id FROM found)) AS ws ON ws.id = found.id
ORDER BY m.id

-- $1 namespace, $2 how many, $3 to $13 the filters.
-- name: recent
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source, m.expires_at,
    extract(epoch FROM m.occurred_at)::float8 AS recency
FROM pinak.memories AS m
WHERE m.namespace_id = $1 AND pinak.passes(m, ROW(
    $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text, $11::timestamptz, $12::timestamptz, $13::timestamptz)::pinak.filters)
ORDER BY m.occurred_at DESC, m.id DESC
LIMIT $2

-- $1 namespace, $2 the words, $3 how many, $4 to $14 the filters.
-- name: exact
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source, m.expires_at,
    extract(epoch FROM m.occurred_at)::float8 AS phrase
FROM pinak.phrase_candidates($2, $3::integer, ROW(
    $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text, $12::timestamptz, $13::timestamptz, $14::timestamptz)::pinak.filters) AS found
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = found.id
