-- The Indexer's queue, and what it keeps: vectors and term statistics.

-- Takes go one after the other: each is a millisecond, and two at once would choose the same rows. That
-- a row was taken need not survive a crash.
-- name: begin_take
SELECT set_config('synchronous_commit', 'off', true),
    pg_advisory_xact_lock(hashtext('pinak index queue'))

-- Rows of $1 memories at most together, or one row, kept from others for $3. Namespaces take turns,
-- those behind $2 first: each gives its oldest row, then each its second one. Failures go in line beside
-- all else, and first, so that a new one waits for no bulk, and no bulk of failures holds up the rest.
--
-- The namespaces that wait are found by walking the index from one to the next, so that a bulk costs
-- nothing: at most 128 of each kind are looked at, and about as many rows as are wanted.
-- name: take
WITH RECURSIVE turns AS (
    SELECT r.urgent, r.lap, r.up_to, 1 AS number, next.namespace_id
    FROM (VALUES (true, 1, $2::integer, 2147483647), (true, 2, -2147483648, $2),
        (false, 1, $2, 2147483647), (false, 2, -2147483648, $2)) AS r (urgent, lap, behind, up_to)
    CROSS JOIN LATERAL (
        SELECT q.namespace_id FROM pinak.index_queue AS q
        WHERE q.urgent = r.urgent AND q.namespace_id > r.behind AND q.namespace_id <= r.up_to
            AND q.due_at <= now()
        ORDER BY q.namespace_id LIMIT 1
    ) AS next
    UNION ALL
    SELECT t.urgent, t.lap, t.up_to, t.number + 1, next.namespace_id
    FROM turns AS t
    CROSS JOIN LATERAL (
        SELECT q.namespace_id FROM pinak.index_queue AS q
        WHERE q.urgent = t.urgent AND q.namespace_id > t.namespace_id
            AND q.namespace_id <= t.up_to AND q.due_at <= now()
        ORDER BY q.namespace_id LIMIT 1
    ) AS next
    WHERE t.number < 128
), waiting AS (
    SELECT urgent, namespace_id,
        row_number() OVER (PARTITION BY urgent ORDER BY lap, namespace_id) AS turn,
        least(count(*) OVER (PARTITION BY urgent), 128) AS namespaces
    FROM turns
), heads AS (
    SELECT w.urgent, w.turn, q.id, cardinality(q.memory_ids) AS memories,
        row_number() OVER (PARTITION BY w.urgent, w.namespace_id ORDER BY q.queued_at, q.id) AS round
    FROM waiting AS w
    CROSS JOIN LATERAL (
        SELECT h.id, h.queued_at, h.memory_ids FROM pinak.index_queue AS h
        WHERE h.urgent = w.urgent AND h.namespace_id = w.namespace_id AND h.due_at <= now()
        ORDER BY h.queued_at, h.id LIMIT $1::integer / w.namespaces + 1
    ) AS q
    WHERE w.turn <= 128
), lines AS (
    SELECT id, urgent, memories,
        sum(memories) OVER (PARTITION BY urgent ORDER BY round, turn) - memories AS before
    FROM heads
), counted AS (
    SELECT id, row_number() OVER line AS place, sum(memories) OVER line AS together
    FROM lines
    WINDOW line AS (ORDER BY before, urgent DESC)
), chosen AS MATERIALIZED (
    SELECT array_agg(id ORDER BY place) AS ids FROM counted WHERE together <= $1 OR place = 1
)
UPDATE pinak.index_queue AS q SET due_at = now() + $3::interval
WHERE q.id = ANY ((SELECT ids FROM chosen)::bigint[])
RETURNING q.id, q.namespace_id, q.namespace_ids, q.memory_ids,
    array_position((SELECT ids FROM chosen), q.id) AS place

-- name: go_on_holding
UPDATE pinak.index_queue SET due_at = now() + $2::interval WHERE id = ANY ($1::bigint[])

-- name: let_go
UPDATE pinak.index_queue SET due_at = now() WHERE id = ANY ($1::bigint[])

-- Whoever held them has died.
-- name: let_all_go
UPDATE pinak.index_queue SET due_at = now() WHERE due_at > now() AND attempts = 0

-- name: still_owed
SELECT id FROM pinak.index_queue WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE

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

-- One memory a row, of a row that fails: the next takes find which one is at fault.
-- name: part
INSERT INTO pinak.index_queue (namespace_id, namespace_ids, memory_ids, urgent, queued_at)
SELECT q.namespace_id, ARRAY[q.namespace_id], ARRAY[m.id], q.urgent, q.queued_at
FROM pinak.index_queue AS q CROSS JOIN LATERAL unnest(q.memory_ids) AS m (id)
WHERE q.id = $1

-- name: blame
UPDATE pinak.index_queue
SET attempts = attempts + 1, error = $2,
    due_at = now() + least(interval '1 minute' * 5 ^ attempts, interval '1 day')
WHERE id = $1

-- name: owed
SELECT
    coalesce(sum(cardinality(memory_ids)) FILTER (WHERE attempts = 0), 0)::bigint AS memories,
    coalesce(sum(cardinality(memory_ids)) FILTER (WHERE attempts > 0), 0)::bigint + (
        SELECT count(*) FROM pinak.backfill_queue WHERE model_id = $1 AND attempts > 0
    ) AS set_aside,
    coalesce(extract(epoch FROM now() - min(queued_at) FILTER (WHERE attempts = 0)), 0)::float8
        AS oldest_s
FROM pinak.index_queue

-- And why the model refused the text of one of them, where it did.
-- name: not_searchable
SELECT q.namespace_id, q.id, (
    SELECT b.error FROM pinak.backfill_queue AS b
    WHERE b.attempts > 0 AND b.memory_ids[1] = q.id AND b.namespace_ids[1] = q.namespace_id
        AND b.model_id = $3 AND b.kind = 0
    LIMIT 1
) AS refused
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
    INSERT INTO pinak.memory_windows (namespace_id, memory_id, lexemes, analysis)
    SELECT w.namespace_id, w.memory_id, w.lexemes, $4
    FROM unnest($1::integer[], $2::uuid[], $3::tsvector[]) AS w (namespace_id, memory_id, lexemes)
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
