-- Hybrid search in one round trip. $1 namespace, $2 model, $3 query text, $4 query vector,
-- $5 and $6 how many candidates the dense and the lexical signal bring,
-- $7 layers, $8 agents, $9 sessions, $10 tags, $11 outcome, $12 since, $13 until (null: any),
-- $14 how many of the nearest vectors to look through,
-- $15 and $16 how many candidates the windows bring, by meaning and by words. A memory without a
-- window (it has no session, or it has not settled) is a window of one: its own scores count twice.
--
-- The dense scan is exact: the $14 nearest (null: all) are looked up one by one until $5 of them are
-- alive, neither expired nor superseded. Joining first would read every memory's row to drop almost
-- none, and a heap of the nearest costs 4 ms less than sorting 10k distances. Fewer than $5 while
-- others were left out means that too many of the nearest are dead: ask again with null.

-- name: candidates
WITH near AS MATERIALIZED (
    SELECT v.memory_id AS id, v.embedding <=> $4 AS distance
    FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0 AND $5::integer > 0
        AND (
            num_nonnulls(
                $7::text[], $8::text[], $9::text[], $10::text[],
                $11::text, $12::timestamptz, $13::timestamptz) = 0
            OR v.memory_id IN (
                SELECT f.id
                FROM pinak.memories AS f
                WHERE f.namespace_id = $1
                    AND ($7 IS NULL OR f.layer = ANY ($7))
                    AND ($8 IS NULL OR f.agent = ANY ($8))
                    AND ($9 IS NULL OR f.session = ANY ($9))
                    AND ($10 IS NULL OR f.tags @> $10)
                    AND ($11 IS NULL OR f.outcome = $11)
                    AND ($12 IS NULL OR f.occurred_at >= $12)
                    AND ($13 IS NULL OR f.occurred_at < $13)))
    ORDER BY distance, id
    LIMIT $14::bigint
), dense AS MATERIALIZED (
    SELECT near.id
    FROM near
    CROSS JOIN LATERAL (
        SELECT 1
        FROM pinak.memories AS a
        WHERE a.namespace_id = $1 AND a.id = near.id
            AND a.superseded_by IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > now())
        OFFSET 0
    ) AS alive
    ORDER BY near.distance, near.id
    LIMIT $5
), lexical AS MATERIALIZED (
    SELECT id FROM pinak.lexical_candidates($3, $6, $7, $8, $9, $10, $11, $12, $13)
), near_windows AS MATERIALIZED (
    SELECT v.memory_id AS id, v.embedding <=> $4 AS distance
    FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 1 AND $15::integer > 0
        AND (
            num_nonnulls(
                $7::text[], $8::text[], $9::text[], $10::text[],
                $11::text, $12::timestamptz, $13::timestamptz) = 0
            OR v.memory_id IN (
                SELECT f.id
                FROM pinak.memories AS f
                WHERE f.namespace_id = $1
                    AND ($7 IS NULL OR f.layer = ANY ($7))
                    AND ($8 IS NULL OR f.agent = ANY ($8))
                    AND ($9 IS NULL OR f.session = ANY ($9))
                    AND ($10 IS NULL OR f.tags @> $10)
                    AND ($11 IS NULL OR f.outcome = $11)
                    AND ($12 IS NULL OR f.occurred_at >= $12)
                    AND ($13 IS NULL OR f.occurred_at < $13)))
    ORDER BY distance, id
    LIMIT $14::bigint
), window_dense AS MATERIALIZED (
    SELECT near_windows.id
    FROM near_windows
    CROSS JOIN LATERAL (
        SELECT 1
        FROM pinak.memories AS a
        WHERE a.namespace_id = $1 AND a.id = near_windows.id
            AND a.superseded_by IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > now())
        OFFSET 0
    ) AS alive
    ORDER BY near_windows.distance, near_windows.id
    LIMIT $15
), window_lexical AS MATERIALIZED (
    SELECT id FROM pinak.window_candidates($3, $16, $7, $8, $9, $10, $11, $12, $13)
), found AS MATERIALIZED (
    SELECT id FROM dense UNION SELECT id FROM lexical
    UNION SELECT id FROM window_dense UNION SELECT id FROM window_lexical
)
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source,
    1 - (v.embedding <=> $4::halfvec) AS dense,
    s.score AS lexical,
    1 - (coalesce(w.embedding, v.embedding) <=> $4::halfvec) AS window_dense,
    coalesce(ws.score, s.score) AS window_lexical,
    (SELECT count(*) FROM near) AS looked_through,
    (SELECT count(*) FROM dense) AS dense_count,
    (SELECT count(*) FROM lexical) AS lexical_count,
    (SELECT count(*) FROM window_dense) AS window_dense_count,
    (SELECT count(*) FROM window_lexical) AS window_lexical_count
FROM found
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = found.id
LEFT JOIN pinak.memory_vectors AS v
    ON v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0 AND v.memory_id = found.id
LEFT JOIN pinak.memory_vectors AS w
    ON w.namespace_id = $1 AND w.model_id = $2 AND w.kind = 1 AND w.memory_id = found.id
        AND $15 > 0
LEFT JOIN pinak.lexical_scores(
    CASE WHEN $6 > 0 THEN $3 ELSE '' END, ARRAY(SELECT id FROM found)) AS s ON s.id = found.id
LEFT JOIN pinak.window_scores(
    CASE WHEN $16 > 0 THEN $3 ELSE '' END, ARRAY(SELECT id FROM found)) AS ws ON ws.id = found.id
ORDER BY m.id
