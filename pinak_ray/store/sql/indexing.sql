-- The Indexer's queue, and what it keeps: vectors and term statistics.

-- The oldest rows, of $1 memories at most together, or one row. A row is a batch of the Writer's: of
-- callers that wait one by one it holds one or two, in a burst two hundred.
-- name: take
SELECT id, namespace_ids, memory_ids
FROM pinak.index_queue
WHERE attempts < $2
ORDER BY id
LIMIT (
    SELECT greatest(count(*), 1)
    FROM (
        SELECT sum(cardinality(memory_ids)) OVER (ORDER BY id) AS together
        FROM (
            SELECT id, memory_ids FROM pinak.index_queue WHERE attempts < $2 ORDER BY id LIMIT 128
        ) AS head
    ) AS counted
    WHERE together <= $1
)
FOR UPDATE SKIP LOCKED

-- name: texts
SELECT m.namespace_id, m.id, m.agent, m.session, m.content
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
WHERE NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = m.namespace_id AND v.model_id = $3 AND v.kind = 0 AND v.memory_id = m.id
)

-- Ordered by key, so that two Indexers cannot deadlock on the same terms.
-- name: count_terms
INSERT INTO pinak.term_stats AS t (namespace_id, term, documents)
SELECT m.namespace_id, lexeme, count(*)
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS lexeme
GROUP BY m.namespace_id, lexeme
ORDER BY m.namespace_id, lexeme
ON CONFLICT (namespace_id, term) DO UPDATE SET documents = t.documents + excluded.documents

-- name: count_documents
INSERT INTO pinak.corpus_stats AS c (namespace_id, documents, total_length)
SELECT m.namespace_id, count(*), sum(length(m.lexemes))
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
GROUP BY m.namespace_id
ORDER BY m.namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    documents = c.documents + excluded.documents,
    total_length = c.total_length + excluded.total_length

-- name: done
DELETE FROM pinak.index_queue WHERE id = ANY ($1::bigint[])

-- name: blame
UPDATE pinak.index_queue SET attempts = attempts + 1 WHERE id = $1

-- name: owed
SELECT
    coalesce(sum(cardinality(memory_ids)) FILTER (WHERE attempts < $1), 0)::bigint AS memories,
    coalesce(sum(cardinality(memory_ids)) FILTER (WHERE attempts >= $1), 0)::bigint AS set_aside,
    coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float8 AS oldest_s
FROM pinak.index_queue

-- name: not_searchable
SELECT q.namespace_id, q.id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
WHERE NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = q.namespace_id AND v.model_id = $3 AND v.kind = 0 AND v.memory_id = q.id
)

-- A session with new entries has windows to write, once they have settled.
-- name: note_sessions
INSERT INTO pinak.settling_sessions AS s (namespace_id, session, from_id, pending)
SELECT m.namespace_id, m.session, (array_agg(m.id ORDER BY m.id))[1], count(*)
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
WHERE m.session IS NOT NULL
GROUP BY m.namespace_id, m.session
ORDER BY m.namespace_id, m.session
ON CONFLICT (namespace_id, session) DO UPDATE SET
    from_id = least(s.from_id, excluded.from_id), pending = s.pending + excluded.pending,
    last_at = now()

-- $1 how many later entries settle one, $2 after how many seconds of quiet all are settled,
-- $3 how many sessions.
-- name: take_sessions
SELECT namespace_id, session, from_id, last_at <= now() - make_interval(secs => $2) AS quiet
FROM pinak.settling_sessions
WHERE pending > $1 OR last_at <= now() - make_interval(secs => $2)
ORDER BY last_at
LIMIT $3
FOR UPDATE SKIP LOCKED

-- Each session's entries from the first one without a window on, from $3 on, at most $5 of them,
-- after the $4 before. What is over, or was superseded, is not said any more.
-- name: session_entries
SELECT t.number, m.id, m.agent, m.session, m.content, m.is_new,
    EXISTS (
        SELECT FROM pinak.memory_windows AS w
        WHERE w.namespace_id = t.namespace_id AND w.memory_id = m.id
    ) AS has_window
FROM unnest($1::integer[], $2::text[], $3::uuid[])
    WITH ORDINALITY AS t (namespace_id, session, from_id, number)
CROSS JOIN LATERAL (
    SELECT e.id AS from_id FROM pinak.memories AS e
    WHERE e.namespace_id = t.namespace_id AND e.session = t.session AND e.id >= t.from_id
        AND e.superseded_by IS NULL AND (e.expires_at IS NULL OR e.expires_at > now())
        AND NOT EXISTS (
            SELECT FROM pinak.memory_windows AS w
            WHERE w.namespace_id = e.namespace_id AND w.memory_id = e.id)
    ORDER BY e.id LIMIT 1
) AS missing
CROSS JOIN LATERAL (
    (SELECT id, agent, session, content, false AS is_new FROM pinak.memories
     WHERE namespace_id = t.namespace_id AND session = t.session AND id < missing.from_id
        AND superseded_by IS NULL AND (expires_at IS NULL OR expires_at > now())
     ORDER BY id DESC LIMIT $4)
    UNION ALL
    (SELECT id, agent, session, content, true FROM pinak.memories
     WHERE namespace_id = t.namespace_id AND session = t.session AND id >= missing.from_id
        AND superseded_by IS NULL AND (expires_at IS NULL OR expires_at > now())
     ORDER BY id LIMIT $5)
) AS m
ORDER BY t.number, m.id

-- name: store_windows
WITH given AS (
    INSERT INTO pinak.memory_windows (namespace_id, memory_id, lexemes)
    SELECT w.namespace_id, w.memory_id, to_tsvector('english', w.text)
    FROM unnest($1::integer[], $2::uuid[], $3::text[]) AS w (namespace_id, memory_id, text)
    RETURNING namespace_id, length(lexemes) AS length
)
INSERT INTO pinak.window_stats AS s (namespace_id, windows, total_length)
SELECT namespace_id, count(*), sum(length) FROM given
GROUP BY namespace_id ORDER BY namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    windows = s.windows + excluded.windows, total_length = s.total_length + excluded.total_length

-- name: sessions_go_on
UPDATE pinak.settling_sessions AS s SET from_id = t.from_id, pending = t.pending
FROM unnest($1::integer[], $2::text[], $3::uuid[], $4::bigint[])
    AS t (namespace_id, session, from_id, pending)
WHERE s.namespace_id = t.namespace_id AND s.session = t.session

-- name: sessions_are_settled
DELETE FROM pinak.settling_sessions AS s
USING unnest($1::integer[], $2::text[]) AS t (namespace_id, session)
WHERE s.namespace_id = t.namespace_id AND s.session = t.session

-- name: unsettled
SELECT coalesce(sum(pending), 0)::bigint FROM pinak.settling_sessions
