-- Vectors of kept models that do not serve: what they owe, and the sweep that finds it.

-- In the transaction that gave memories the vectors of one model: all other kept models owe theirs.
-- name: hand_on
INSERT INTO pinak.backfill_queue (model_id, kind, namespace_ids, memory_ids)
SELECT id, $2, $3, $4 FROM pinak.embedding_models WHERE spec IS NOT NULL AND id <> $1

-- name: begin
INSERT INTO pinak.backfills (model_id) VALUES ($1)
ON CONFLICT (model_id) DO UPDATE SET
    kind = 0, after_namespace = 0, after_memory = '00000000-0000-0000-0000-000000000000',
    starts_after = NULL, embedded = 0, error = NULL, began_at = now(), swept_at = NULL

-- $1 how many queue rows are enough. A transaction that began
-- before the model was there may hand nothing on to it, and show what it stored only later: the sweep
-- looks when none of those is left.
-- name: take_sweep
SELECT model_id, kind, after_namespace, after_memory, starts_after
FROM pinak.backfills AS b
WHERE swept_at IS NULL
    AND (starts_after IS NULL
         OR starts_after <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    AND (SELECT count(*) FROM (
            SELECT FROM pinak.backfill_queue AS q
            WHERE q.model_id = b.model_id AND q.attempts = 0 LIMIT $1) AS owed) < $1
ORDER BY model_id
LIMIT 1
FOR UPDATE SKIP LOCKED

-- name: sweep_waits
UPDATE pinak.backfills SET starts_after = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
WHERE model_id = $1

-- name: look_at_memories
WITH looked_at AS MATERIALIZED (
    SELECT namespace_id, id FROM pinak.memories
    WHERE (namespace_id, id) > ($2, $3)
    ORDER BY namespace_id, id
    LIMIT $4
)
SELECT namespace_id, id, NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = l.namespace_id AND v.model_id = $1 AND v.kind = 0 AND v.memory_id = l.id
) AS is_missing
FROM looked_at AS l
ORDER BY namespace_id, id

-- name: look_at_windows
WITH looked_at AS MATERIALIZED (
    SELECT namespace_id, memory_id AS id FROM pinak.memory_windows
    WHERE (namespace_id, memory_id) > ($2, $3)
    ORDER BY namespace_id, memory_id
    LIMIT $4
)
SELECT namespace_id, id, NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = l.namespace_id AND v.model_id = $1 AND v.kind = 1 AND v.memory_id = l.id
) AS is_missing
FROM looked_at AS l
ORDER BY namespace_id, id

-- name: owe
INSERT INTO pinak.backfill_queue (model_id, kind, namespace_ids, memory_ids)
VALUES ($1, $2, $3, $4)

-- One memory a row, whose text the model refused $5 times before: it is tried again after a minute, five,
-- and so on, a day at most; after ten times when somebody says so, or the model is loaded otherwise.
-- name: set_aside
INSERT INTO pinak.backfill_queue (model_id, kind, namespace_ids, memory_ids, error, attempts, due_at)
SELECT $1::integer, $2::smallint, ARRAY[r.namespace_id], ARRAY[r.id], r.error, $5::integer + 1,
    CASE WHEN $5 < 9 THEN now() + least(interval '1 minute' * 5 ^ $5, interval '1 day')
        ELSE 'infinity' END
FROM unnest($3::integer[], $4::uuid[], $6::text[]) AS r (namespace_id, id, error)

-- $1 a model, or null for all.
-- name: retry
UPDATE pinak.backfill_queue SET due_at = now(), attempts = least(attempts, 1)
WHERE attempts > 0 AND ($1::integer IS NULL OR model_id = $1)

-- What was refused, by reason. $1 how many reasons.
-- name: refusals
SELECT error, count(*) AS memories, min(due_at) AS again_at FROM (
    SELECT error, due_at FROM pinak.backfill_queue WHERE attempts > 0
    UNION ALL
    SELECT error, due_at FROM pinak.index_queue WHERE attempts > 0
) AS refused
GROUP BY error ORDER BY memories DESC, error LIMIT $1

-- name: sweep_goes_on
UPDATE pinak.backfills
SET kind = $2, after_namespace = $3, after_memory = $4,
    swept_at = CASE WHEN $5::boolean THEN now() END
WHERE model_id = $1

-- name: models_owing
SELECT m.id AS model_id FROM pinak.embedding_models AS m
WHERE EXISTS (
    SELECT FROM pinak.backfill_queue AS q WHERE q.model_id = m.id AND q.due_at <= now())

-- Kept from others for $2.
-- name: take
UPDATE pinak.backfill_queue SET due_at = now() + $2::interval
WHERE id = (
    SELECT id FROM pinak.backfill_queue
    WHERE model_id = $1 AND due_at <= now()
    ORDER BY due_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING id, model_id, kind, namespace_ids, memory_ids, attempts

-- name: go_on_holding
UPDATE pinak.backfill_queue SET due_at = now() + $2::interval WHERE id = ANY ($1::bigint[])

-- name: let_go
UPDATE pinak.backfill_queue SET due_at = now() WHERE id = $1

-- name: let_all_go
UPDATE pinak.backfill_queue SET due_at = now() WHERE due_at > now() AND attempts = 0

-- name: still_owed
SELECT id FROM pinak.backfill_queue WHERE id = $1 FOR UPDATE

-- $4 entries on each side, as they stand in the session now: what is over, or was superseded, is not said.
-- name: window_texts
SELECT m.namespace_id, m.id, n.agent, n.session, n.content, n.id = m.id AS is_own
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memory_windows AS w ON w.namespace_id = q.namespace_id AND w.memory_id = q.id
JOIN pinak.memories AS m ON m.namespace_id = q.namespace_id AND m.id = q.id
CROSS JOIN LATERAL (
    (SELECT id, agent, session, content FROM pinak.memories
     WHERE namespace_id = m.namespace_id AND session = m.session AND id < m.id
        AND superseded_by IS NULL AND (expires_at IS NULL OR expires_at > now())
     ORDER BY id DESC LIMIT $4)
    UNION ALL
    (SELECT id, agent, session, content FROM pinak.memories
     WHERE namespace_id = m.namespace_id AND session = m.session AND id >= m.id
        AND superseded_by IS NULL AND (expires_at IS NULL OR expires_at > now())
     ORDER BY id LIMIT $4 + 1)
) AS n
WHERE NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = m.namespace_id AND v.model_id = $3 AND v.kind = 1 AND v.memory_id = m.id
)
ORDER BY m.namespace_id, m.id, n.id

-- Those that are still there; they stay as they are until this transaction ends.
-- name: still_there
SELECT m.namespace_id, m.id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
FOR SHARE OF m

-- The same of windows, which are dropped where somebody forgets what they tell of.
-- name: still_told
SELECT w.namespace_id, w.memory_id AS id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memory_windows AS w ON w.namespace_id = q.namespace_id AND w.memory_id = q.id
FOR SHARE OF w

-- name: done
DELETE FROM pinak.backfill_queue WHERE id = $1

-- name: progressed
UPDATE pinak.backfills SET embedded = embedded + $2, error = NULL WHERE model_id = $1

-- name: note_error
UPDATE pinak.backfills SET error = $2 WHERE model_id = $1 AND error IS DISTINCT FROM $2

-- $2 how many seconds old what is on its way may be; what the sweep found is none of that.
-- name: coverage
SELECT
    wanted.memories + wanted.windows AS wanted,
    wanted.memories + wanted.windows - (
        SELECT count(*) FROM pinak.memories AS m JOIN pinak.memory_vectors AS v
            ON v.namespace_id = m.namespace_id AND v.model_id = $1 AND v.kind = 0
            AND v.memory_id = m.id
    ) - (
        SELECT count(*) FROM pinak.memory_windows AS w JOIN pinak.memory_vectors AS v
            ON v.namespace_id = w.namespace_id AND v.model_id = $1 AND v.kind = 1
            AND v.memory_id = w.memory_id
    ) AS missing,
    (SELECT coalesce(sum(cardinality(memory_ids)), 0)::bigint FROM pinak.backfill_queue
        WHERE model_id = $1 AND attempts > 0) AS set_aside,
    b.swept_at IS NULL AND b.model_id IS NOT NULL OR EXISTS (
        SELECT FROM pinak.backfill_queue
        WHERE model_id = $1 AND (
            attempts > 0 OR queued_at < now() - make_interval(secs => $2)
            OR queued_at <= b.swept_at)
    ) AS is_behind,
    coalesce(b.embedded / nullif(extract(epoch FROM now() - b.began_at), 0), 0)::float8 AS per_s,
    b.error
FROM (SELECT
    (SELECT count(*) FROM pinak.memories) AS memories,
    (SELECT count(*) FROM pinak.memory_windows) AS windows) AS wanted
LEFT JOIN pinak.backfills AS b ON b.model_id = $1
