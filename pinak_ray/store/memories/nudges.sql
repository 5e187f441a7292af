-- What may bear on an intent: failures that resemble it, and facts that share its words. `words` runs
-- while the intent is embedded; `evidence` finds what lies near its vector, and looks up what either found.
-- Each has its own snapshot, as recall.sql has it.

-- Words choose among 300 documents, where recall has 5,000: two rare words say all that words can (see
-- evidence.py), and a common one says nothing. $1 the intent's terms, $2 and $3 how many.
-- name: words
SELECT
    ARRAY(
        SELECT c.id FROM pinak.lexical_candidates(
            $1, $2::integer,
            ROW(null, null, null, null, null, null, null, 'failure', null, null, null)::pinak.filters,
            300) AS c) AS failures,
    ARRAY(
        SELECT c.id FROM pinak.lexical_candidates(
            $1, $3::integer,
            ROW(ARRAY['semantic', 'procedural'], null, null, null, null, null, null, null, null, null,
                null)::pinak.filters, 300) AS c) AS facts

-- $1 namespace, $2 model, $3 the intent's terms, $4 its vector, $5 how many failures are the nearest, $6 and
-- $7 the failures and the facts that `words` found, $8 who intends, $9 id of the request, $10 the
-- cool-down, $11 to $13 the nearest of all failures numbered below the third (ids, distances, number;
-- null: none). A memory without a vector yet, dead or alive, does not count: the cosine is what decides
-- whether a warning is due.
--
-- Either what the caller compared is known, and the tail is compared here, or all is compared here: the
-- failures' ids go to the key of the vectors as one sorted array, whose index is walked once, where a
-- join probes it for each failure (10k failures: 14 ms instead of 34).
--
-- What was found is looked up one by one (OFFSET 0), see recall.sql.
--
-- Of the few that are found, and of no other: what agents said (each one's mean, from -1 to 1), and
-- which nudges this agent was shown within the cool-down. A nudge that was acted on since, or that
-- this very request brought when it was first sent, does not count as shown.

-- name: evidence
WITH dense AS MATERIALIZED (
    (
        SELECT v.memory_id AS id, v.embedding <=> $4 AS distance
        FROM pinak.memory_vectors AS v
        WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0
            AND v.memory_id = ANY (ARRAY(
                SELECT f.id
                FROM pinak.memories AS f
                WHERE f.namespace_id = $1 AND f.outcome = 'failure' AND pinak.passes(f, NULL)))
            AND $13::bigint IS NULL
        ORDER BY distance, id
        LIMIT $5::integer
    ) UNION ALL (
        SELECT near.id, near.distance
        FROM (
            SELECT v.memory_id AS id, v.embedding <=> $4 AS distance
            FROM pinak.memory_vectors AS v
            WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0 AND v.seq >= $13
            UNION ALL
            SELECT k.id, k.distance
            FROM pinak.measured($2, 0::smallint, $4::halfvec,
                ROW($11::uuid[], $12::float8[], $13::bigint)::pinak.known) AS k
        ) AS near
        CROSS JOIN LATERAL (
            SELECT FROM pinak.memories AS f
            WHERE f.namespace_id = $1 AND f.id = near.id AND f.outcome = 'failure'
                AND pinak.passes(f, NULL)
            OFFSET 0
        ) AS alive
        WHERE $13 IS NOT NULL
        ORDER BY near.distance, near.id
        LIMIT $5::integer
    )
), found AS MATERIALIZED (
    SELECT id, false AS is_fact FROM dense
    UNION SELECT unnest($6::uuid[]), false
    UNION SELECT unnest($7::uuid[]), true
)
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source,
    1 - (v.embedding <=> $4::halfvec) AS similarity,
    coalesce(s.score, 0) AS lexical,
    coalesce((SELECT documents FROM pinak.corpus_stats WHERE namespace_id = $1), 0) AS documents,
    (SELECT count(*) FROM (
        SELECT FROM pinak.memories WHERE namespace_id = $1 AND outcome = 'failure' LIMIT 10000
    ) AS counted) AS failures,
    said.usefulness, said.agents, lately.shown
FROM found
CROSS JOIN LATERAL (
    SELECT * FROM pinak.memories AS m
    WHERE m.namespace_id = $1 AND m.id = found.id AND m.expires_at IS DISTINCT FROM '-infinity'
        AND (m.superseded_by IN (SELECT id FROM found)) IS NOT TRUE
        AND NOT (found.is_fact AND m.outcome IS NOT DISTINCT FROM 'failure')
    OFFSET 0
) AS m
CROSS JOIN LATERAL (
    SELECT embedding FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = 0 AND memory_id = found.id
    OFFSET 0
) AS v
LEFT JOIN pinak.lexical_scores($3, ARRAY(SELECT id FROM found)) AS s ON s.id = found.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(mean), 0)::float8 AS usefulness, count(*) AS agents
    FROM (
        SELECT avg(CASE f.verdict WHEN 'not_useful' THEN -1 ELSE 1 END) AS mean
        FROM pinak.nudge_feedback AS f
        WHERE f.namespace_id = $1 AND f.memory_id = m.id
        GROUP BY coalesce(nullif(f.voice, ''), f.agent)
    ) AS by_voice
) AS said
CROSS JOIN LATERAL (
    SELECT ARRAY(
        SELECT n.id
        FROM pinak.nudges AS n
        WHERE n.namespace_id = $1 AND n.agent = $8 AND n.memory_id = m.id
            AND n.shown_at > now() - $10::interval
            AND ($9::uuid IS NULL OR n.operation_id IS DISTINCT FROM $9)
            AND NOT EXISTS (
                SELECT FROM pinak.nudge_feedback AS f
                WHERE f.namespace_id = $1 AND f.memory_id = m.id AND f.agent = $8
                    AND f.subject IN (n.id, m.id) AND f.verdict = 'acted_on'
                    AND f.given_at >= n.shown_at)
    ) AS shown
) AS lately
ORDER BY m.id
