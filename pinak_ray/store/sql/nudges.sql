-- Failures that resemble an intent, in one round trip. $1 namespace, $2 model, $3 intent's text,
-- $4 its vector, $5 how many candidates each signal brings. A failure without a vector yet, dead or
-- alive, does not count: the cosine is what decides whether a warning is due.
--
-- The failures' ids go to the key of the vectors as one sorted array: its index is walked once,
-- where a join probes it for each failure (10k failures: 14 ms instead of 34).

-- name: similar_failures
WITH dense AS MATERIALIZED (
    SELECT v.memory_id AS id, v.embedding <=> $4 AS distance
    FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0
        AND v.memory_id = ANY (ARRAY(
            SELECT f.id
            FROM pinak.memories AS f
            WHERE f.namespace_id = $1 AND f.outcome = 'failure'
                AND f.superseded_by IS NULL
                AND (f.expires_at IS NULL OR f.expires_at > now())))
    ORDER BY distance, id
    LIMIT $5::integer
), lexical AS MATERIALIZED (
    SELECT id FROM pinak.lexical_candidates(
        $3, CASE WHEN EXISTS (SELECT FROM dense) THEN $5::integer ELSE 0 END,
        null, null, null, null, 'failure', null, null)
), found AS MATERIALIZED (
    SELECT id FROM dense UNION SELECT id FROM lexical
)
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source,
    1 - (v.embedding <=> $4::halfvec) AS similarity,
    coalesce(s.score, 0) AS lexical,
    coalesce((SELECT documents FROM pinak.corpus_stats WHERE namespace_id = $1), 0) AS documents
FROM found
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = found.id
JOIN pinak.memory_vectors AS v
    ON v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0 AND v.memory_id = found.id
LEFT JOIN pinak.lexical_scores($3, ARRAY(SELECT id FROM found)) AS s ON s.id = found.id
ORDER BY m.id
