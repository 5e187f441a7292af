-- Segments of vectors: which are due, what they hold, which have had their time.

-- Namespaces that are large enough for segments, with where their tail begins. $1 model, $2 how many
-- vectors make a segment, $3 how many segments there may be in all.
-- name: large
SELECT c.namespace_id, k.kind, coalesce(max(s.end_seq), 0) AS end_seq
FROM (
    SELECT namespace_id, 0::smallint AS kind FROM pinak.corpus_stats WHERE documents >= $2
    UNION ALL
    SELECT namespace_id, 1::smallint FROM pinak.window_stats WHERE windows >= $2
) AS c (namespace_id, kind)
CROSS JOIN LATERAL (SELECT c.kind) AS k
LEFT JOIN pinak.segments AS s
    ON s.namespace_id = c.namespace_id AND s.model_id = $1 AND s.kind = c.kind
WHERE (SELECT count(*) FROM pinak.segments) < $3
GROUP BY c.namespace_id, k.kind
ORDER BY c.namespace_id, k.kind

-- How many vectors the tail holds, counted up to $5, and the number behind the last of these.
-- name: tail
SELECT count(*) AS rows, max(seq) + 1 AS end_seq
FROM (
    SELECT seq FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = $3 AND seq >= $4
    ORDER BY seq
    LIMIT $5
) AS tail

-- Asked after `end_seq` was read: whoever took a lower number held this lock by then, or had ended.
-- name: plan
INSERT INTO pinak.segments (namespace_id, model_id, kind, first_seq, end_seq, settles_after)
SELECT $1, $2, $3, $4, $5, ARRAY(
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'pinak.memory_vectors'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND mode = 'RowExclusiveLock' AND granted)
WHERE NOT EXISTS (
    SELECT FROM pinak.segments AS s
    WHERE s.namespace_id = $1 AND s.model_id = $2 AND s.kind = $3 AND s.rows IS NULL)

-- name: lock
SELECT pg_advisory_xact_lock(hashtext('pinak segments'))

-- One that is planned and has settled: no transaction is left that may add to its range.
-- name: take
SELECT s.namespace_id, s.model_id, s.kind, s.id, s.first_seq, s.end_seq, m.dimension
FROM pinak.segments AS s
JOIN pinak.embedding_models AS m ON m.id = s.model_id
WHERE s.rows IS NULL
    AND NOT EXISTS (SELECT FROM pg_locks AS l WHERE l.virtualtransaction = ANY (s.settles_after))
ORDER BY s.id
LIMIT 1
FOR UPDATE OF s SKIP LOCKED

-- name: fill
SELECT v.memory_id, v.embedding
FROM pinak.memory_vectors AS v
WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = $3 AND v.seq >= $4 AND v.seq < $5

-- name: built
UPDATE pinak.segments SET rows = $2 WHERE id = $1

-- Those whose range the new one covers.
-- name: replace
UPDATE pinak.segments SET replaced_at = now()
WHERE namespace_id = $1 AND model_id = $2 AND kind = $3 AND id <> $4
    AND first_seq >= $5 AND end_seq <= $6 AND replaced_at IS NULL

-- name: searched
SELECT namespace_id, model_id, kind, id, first_seq, end_seq, rows
FROM pinak.segments
WHERE model_id = $1 AND rows IS NOT NULL AND replaced_at IS NULL
ORDER BY namespace_id, kind, first_seq

-- Nobody searches these any more: a statement lasts less than that.
-- name: outlived
SELECT id FROM pinak.segments WHERE replaced_at < now() - interval '5 minutes'
LIMIT 16
FOR UPDATE SKIP LOCKED

-- name: forget
DELETE FROM pinak.segments WHERE id = $1

-- The segment that was looked at longest ago, and how many of its rows are still there.
-- name: check
WITH oldest AS (
    SELECT * FROM pinak.segments
    WHERE model_id = $1 AND rows IS NOT NULL AND replaced_at IS NULL
        AND checked_at < now() - interval '10 minutes'
    ORDER BY checked_at
    LIMIT 1
), checked AS (
    UPDATE pinak.segments AS s SET checked_at = now() FROM oldest WHERE s.id = oldest.id
)
SELECT o.namespace_id, o.kind, o.first_seq, o.end_seq, o.rows, (
    SELECT count(*) FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = o.namespace_id AND v.model_id = o.model_id AND v.kind = o.kind
        AND v.seq >= o.first_seq AND v.seq < o.end_seq
) AS living
FROM oldest AS o

-- name: of_model
SELECT id FROM pinak.segments WHERE model_id = $1

-- By the figures alone, since the supervisor asks every second or so: counting the tails of a large
-- namespace takes longer than it waits.
-- name: unsealed
SELECT coalesce(sum(tail) FILTER (WHERE tail >= $2), 0)::bigint
FROM (
    SELECT c.vectors - coalesce(sum(s.rows), 0) AS tail
    FROM (
        SELECT namespace_id, 0::smallint AS kind, documents AS vectors
        FROM pinak.corpus_stats WHERE documents >= $2
        UNION ALL
        SELECT namespace_id, 1::smallint, windows FROM pinak.window_stats WHERE windows >= $2
    ) AS c
    LEFT JOIN pinak.segments AS s
        ON s.namespace_id = c.namespace_id AND s.model_id = $1 AND s.kind = c.kind
        AND s.replaced_at IS NULL
    GROUP BY c.namespace_id, c.kind, c.vectors
) AS tails

-- The namespace whose segments hold most: where an approximate search could miss most.
-- name: largest
SELECT namespace_id, model_id, kind, sum(rows)::bigint AS rows, count(*) AS segments
FROM pinak.segments
WHERE rows > 0 AND replaced_at IS NULL
GROUP BY namespace_id, model_id, kind
ORDER BY rows DESC
LIMIT 1

-- Queries that resemble what is stored, and equal none of it: halfway between two of its vectors.
-- name: samples
WITH stored AS (
    SELECT v.embedding
    FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = $3
    ORDER BY v.memory_id
    LIMIT 20000
), picked AS (
    SELECT row_number() OVER (ORDER BY random()) AS place, embedding FROM stored
)
SELECT a.embedding + b.embedding AS vector
FROM picked AS a JOIN picked AS b ON b.place = a.place + 1
WHERE a.place % 2 = 1 AND a.place < 2 * $4::integer

-- name: exact_statement
SELECT pinak.nearest_statement($1, $2, 'filtered')

-- name: enter
SELECT set_config('pinak.namespace_id', $1, true)

-- name: nearest
SELECT id FROM pinak.nearest($1, $2, $3, $4, null)
