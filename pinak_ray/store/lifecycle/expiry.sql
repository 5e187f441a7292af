-- What removes a bounded number of expired rows.

-- Which memories are over, forgotten ones first. One that is still queued for indexing waits: its
-- terms must be counted before they leave.
-- name: take_memories
SELECT namespace_id, id FROM pinak.memories
WHERE expires_at <= now()
    AND NOT EXISTS (SELECT FROM pinak.index_queue AS q WHERE memories.id = ANY (q.memory_ids))
ORDER BY expires_at
LIMIT $1
FOR UPDATE SKIP LOCKED

-- The reverse of count_terms, in the same order of keys; then of count_documents.
-- name: uncount_terms
INSERT INTO pinak.term_stats AS t (namespace_id, term, documents)
SELECT m.namespace_id, lexeme, -count(*)
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS lexeme
GROUP BY m.namespace_id, lexeme
ORDER BY m.namespace_id, lexeme
ON CONFLICT (namespace_id, term) DO UPDATE SET documents = t.documents + excluded.documents

-- name: drop_unused_terms
DELETE FROM pinak.term_stats AS t
USING unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS lexeme
WHERE t.namespace_id = m.namespace_id AND t.term = lexeme AND t.documents = 0

-- name: uncount_documents
INSERT INTO pinak.corpus_stats AS c (namespace_id, documents, total_length)
SELECT m.namespace_id, -count(*), -sum(length(m.lexemes))
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
GROUP BY m.namespace_id
ORDER BY m.namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    documents = c.documents + excluded.documents,
    total_length = c.total_length + excluded.total_length

-- What a model said of their texts, and may have repeated.
-- name: refusals
DELETE FROM pinak.backfill_queue AS b
USING unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
WHERE b.attempts > 0 AND b.memory_ids[1] = q.id AND b.namespace_ids[1] = q.namespace_id

-- name: memories
WITH gone AS MATERIALIZED (
    SELECT namespace_id, id FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
), vectors AS (
    DELETE FROM pinak.memory_vectors AS v USING gone CROSS JOIN pinak.embedding_models AS e
    WHERE v.namespace_id = gone.namespace_id AND v.model_id = e.id AND v.kind IN (0, 1)
        AND v.memory_id = gone.id
)
DELETE FROM pinak.memories AS m USING gone
WHERE m.namespace_id = gone.namespace_id AND m.id = gone.id

-- name: working_items
WITH removed AS (
    DELETE FROM pinak.working_items WHERE (namespace_id, agent, key) IN (
        SELECT namespace_id, agent, key FROM pinak.working_items
        WHERE expires_at <= now() - interval '1 day' ORDER BY expires_at LIMIT $1
    ) RETURNING 1
)
SELECT count(*) FROM removed

-- An owner's newest entry stays, expired as it is: its seq is where a reloaded log goes on, and
-- readers hold cursors up to it.
-- name: entries
WITH removed AS (
    DELETE FROM pinak.entries WHERE (namespace_id, space, owner, id) IN (
        SELECT e.namespace_id, e.space, e.owner, e.id FROM pinak.entries AS e
        WHERE e.expires_at <= now() - interval '1 day'
            AND EXISTS (
                SELECT FROM pinak.entries AS newer
                WHERE newer.namespace_id = e.namespace_id AND newer.space = e.space
                    AND newer.owner = e.owner AND newer.seq > e.seq)
        ORDER BY e.expires_at LIMIT $1
    ) RETURNING 1
)
SELECT count(*) FROM removed

-- Clients give up after half a minute, so nobody asks for these any more.
-- name: batch_receipts
WITH removed AS (
    DELETE FROM pinak.batch_receipts WHERE (lane, host) IN (
        SELECT lane, host FROM pinak.batch_receipts
        WHERE committed_at < now() - interval '10 minutes' ORDER BY committed_at LIMIT $1
    ) RETURNING 1
)
SELECT count(*) FROM removed

-- As above: nobody retries any more what stored these.
-- name: forgotten
WITH removed AS (
    DELETE FROM pinak.forgotten WHERE (namespace_id, memory_id) IN (
        SELECT namespace_id, memory_id FROM pinak.forgotten
        WHERE forgotten_at < now() - interval '10 minutes' ORDER BY forgotten_at LIMIT $1
    ) RETURNING 1
)
SELECT count(*) FROM removed

-- Long past any cool-down, and hardly anyone says now what an old nudge was worth.
-- name: nudges
WITH removed AS (
    DELETE FROM pinak.nudges WHERE (namespace_id, id) IN (
        SELECT namespace_id, id FROM pinak.nudges
        WHERE shown_at < now() - interval '30 days' ORDER BY shown_at LIMIT $1
    ) RETURNING 1
)
SELECT count(*) FROM removed

-- name: standing_intents
WITH removed AS (
    DELETE FROM pinak.standing_intents WHERE (namespace_id, agent) IN (
        SELECT namespace_id, agent FROM pinak.standing_intents
        WHERE expires_at <= now() ORDER BY expires_at LIMIT $1
        FOR UPDATE SKIP LOCKED
    ) RETURNING 1
)
SELECT count(*) FROM removed

-- name: recorded_queries
WITH removed AS (
    DELETE FROM pinak.recorded_queries WHERE (namespace_id, slot) IN (
        SELECT namespace_id, slot FROM pinak.recorded_queries
        WHERE recorded_at < now() - interval '7 days' ORDER BY recorded_at LIMIT $1
    ) RETURNING 1
)
SELECT count(*) FROM removed
