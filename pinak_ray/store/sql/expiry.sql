-- Each query removes a bounded number of expired rows and returns how many.

-- A memory that is still queued for indexing waits: its terms must be counted before they leave.
-- name: memories
WITH gone AS (
    SELECT namespace_id, id FROM pinak.memories
    WHERE expires_at <= now()
        AND NOT EXISTS (SELECT FROM pinak.index_queue AS q WHERE memories.id = ANY (q.memory_ids))
    ORDER BY expires_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), vectors AS (
    DELETE FROM pinak.memory_vectors AS v USING gone
    WHERE v.namespace_id = gone.namespace_id AND v.memory_id = gone.id
), windows AS (
    DELETE FROM pinak.memory_windows AS w USING gone
    WHERE w.namespace_id = gone.namespace_id AND w.memory_id = gone.id
    RETURNING w.namespace_id, length(w.lexemes) AS length
), window_totals AS (
    UPDATE pinak.window_stats AS s
    SET windows = s.windows - u.windows, total_length = s.total_length - u.total_length
    FROM (
        SELECT namespace_id, count(*) AS windows, sum(length) AS total_length
        FROM windows GROUP BY namespace_id
    ) AS u
    WHERE s.namespace_id = u.namespace_id
), removed AS (
    DELETE FROM pinak.memories AS m USING gone
    WHERE m.namespace_id = gone.namespace_id AND m.id = gone.id
    RETURNING m.namespace_id, m.lexemes
), terms AS (
    UPDATE pinak.term_stats AS t SET documents = t.documents - u.documents
    FROM (
        SELECT namespace_id, lexeme, count(*) AS documents
        FROM removed CROSS JOIN LATERAL unnest(tsvector_to_array(lexemes)) AS lexeme
        GROUP BY namespace_id, lexeme
    ) AS u
    WHERE t.namespace_id = u.namespace_id AND t.term = u.lexeme
), corpora AS (
    UPDATE pinak.corpus_stats AS c
    SET documents = c.documents - u.documents, total_length = c.total_length - u.total_length
    FROM (
        SELECT namespace_id, count(*) AS documents, sum(length(lexemes)) AS total_length
        FROM removed GROUP BY namespace_id
    ) AS u
    WHERE c.namespace_id = u.namespace_id
)
SELECT count(*) FROM removed

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
