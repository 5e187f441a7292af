-- What agents intend now, and the failures that some of them are to be told of.

-- Agents intend at several gateways at once: the last intent stands.
-- name: stand
INSERT INTO pinak.standing_intents AS s
    (namespace_id, agent, model_id, intent, search_text, embedding, safe_similarity, intended_at,
     expires_at)
SELECT i.namespace_id, i.agent, $3, i.intent, i.search_text, i.embedding, i.safe_similarity,
    i.intended_at, i.intended_at + $9::interval
FROM unnest($1::integer[], $2::text[], $4::jsonb[], $5::text[], $6::halfvec[], $7::float8[],
        $8::timestamptz[])
    AS i (namespace_id, agent, intent, search_text, embedding, safe_similarity, intended_at)
ORDER BY i.namespace_id, i.agent
ON CONFLICT (namespace_id, agent) DO UPDATE SET
    model_id = excluded.model_id, intent = excluded.intent, search_text = excluded.search_text,
    embedding = excluded.embedding, safe_similarity = excluded.safe_similarity,
    intended_at = excluded.intended_at, expires_at = excluded.expires_at
WHERE s.intended_at <= excluded.intended_at

-- name: queue_failures
INSERT INTO pinak.untold_failures (namespace_id, memory_id)
SELECT m.namespace_id, m.id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
WHERE m.outcome = 'failure'
ON CONFLICT DO NOTHING

-- name: take_failures
SELECT namespace_id, memory_id, queued_at < now() - $2::interval AS is_late
FROM pinak.untold_failures
WHERE due_at <= now()
ORDER BY due_at
LIMIT $1
FOR UPDATE SKIP LOCKED

-- Looked at for the first time they stay, to be looked at again after $4.
-- name: failures_are_told
WITH told AS (
    SELECT * FROM unnest($1::integer[], $2::uuid[], $3::boolean[])
        AS t (namespace_id, memory_id, is_late)
), again AS (
    UPDATE pinak.untold_failures AS u SET is_looked_at = true, due_at = now() + $4::interval
    FROM told AS t
    WHERE u.namespace_id = t.namespace_id AND u.memory_id = t.memory_id
        AND NOT u.is_looked_at AND NOT t.is_late
)
DELETE FROM pinak.untold_failures AS u
USING told AS t
WHERE u.namespace_id = t.namespace_id AND u.memory_id = t.memory_id
    AND (u.is_looked_at OR t.is_late)

-- The intents nearest to each failure, with what weighs the failure as evidence for each of them.
-- $1 namespace, $2 model, $3 failures, $4 how many intents a failure, $5 for how long an agent is
-- left alone after it was told of anything, $6 for how long of this failure. A nudge recorded in
-- the name of the failure does not count: its post may not have come through. Nobody is told of its
-- own failure. Feedback is left out: nobody can have said anything of what nobody was shown.
-- name: matches
WITH failed AS MATERIALIZED (
    SELECT m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at,
        m.created_at, m.details, m.source, v.embedding
    FROM pinak.memories AS m
    JOIN pinak.memory_vectors AS v
        ON v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0 AND v.memory_id = m.id
    WHERE m.namespace_id = $1 AND m.id = ANY ($3::uuid[]) AND m.outcome = 'failure'
        AND m.superseded_by IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
), near AS MATERIALIZED (
    SELECT f.*, i.agent AS intends, i.intent, i.search_text, i.safe_similarity, i.similarity
    FROM failed AS f
    CROSS JOIN LATERAL (
        SELECT s.agent, s.intent, s.search_text, s.safe_similarity,
            1 - (s.embedding <=> f.embedding) AS similarity
        FROM pinak.standing_intents AS s
        WHERE s.namespace_id = $1 AND s.model_id = $2 AND s.agent <> f.agent
            AND s.expires_at > now()
            AND (s.nudged_at IS NULL OR s.nudged_at < now() - $5::interval)
        ORDER BY s.embedding <=> f.embedding, s.agent
        LIMIT $4
    ) AS i
)
SELECT
    n.id, n.content, n.layer, n.agent, n.session, n.tags, n.outcome, n.occurred_at, n.created_at,
    n.details, n.source, n.intends, n.intent, n.safe_similarity, n.similarity,
    coalesce(l.score, 0) AS lexical,
    coalesce((SELECT documents FROM pinak.corpus_stats WHERE namespace_id = $1), 0) AS documents,
    (SELECT count(*) FROM (
        SELECT FROM pinak.memories WHERE namespace_id = $1 AND outcome = 'failure' LIMIT 10000
    ) AS counted) AS failures,
    0::float8 AS usefulness, 0 AS agents,
    ARRAY(
        SELECT g.id FROM pinak.nudges AS g
        WHERE g.namespace_id = $1 AND g.agent = n.intends AND g.memory_id = n.id
            AND g.shown_at > now() - $6::interval AND g.operation_id IS DISTINCT FROM n.id
    ) AS shown
FROM near AS n
LEFT JOIN LATERAL pinak.lexical_scores(string_to_array(n.search_text, ' '), ARRAY[n.id]) AS l ON true
ORDER BY n.id, n.intends

-- name: told
UPDATE pinak.standing_intents SET nudged_at = now() WHERE namespace_id = $1 AND agent = $2
