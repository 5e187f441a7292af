-- Vectors for the processes that compare them in their own memory. $1 namespace, $2 model, $3 kind.

-- Where the vectors end that are numbered by now.
-- name: end
SELECT coalesce(max(seq) + 1, 0)::bigint
FROM pinak.memory_vectors
WHERE namespace_id = $1 AND model_id = $2 AND kind = $3

-- Asked after `end`: whoever took a lower number holds this lock by then, or has ended.
-- name: writers
SELECT virtualtransaction
FROM pg_locks
WHERE locktype = 'relation' AND relation = 'pinak.memory_vectors'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode = 'RowExclusiveLock' AND granted

-- name: still_writing
SELECT EXISTS (SELECT FROM pg_locks WHERE virtualtransaction = ANY ($1::text[]))

-- How many there are from $4 on, counted up to $5.
-- name: count
SELECT count(*)
FROM (
    SELECT FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = $3 AND seq >= $4
    LIMIT $5
) AS tail

-- How many the Indexer has counted. $1 namespace, $2 kind.
-- name: indexed
SELECT coalesce(CASE $2::smallint
    WHEN 0 THEN (SELECT documents FROM pinak.corpus_stats WHERE namespace_id = $1)
    ELSE (SELECT windows FROM pinak.window_stats WHERE namespace_id = $1)
END, 0)::bigint

-- The next $6 of those from $4 on and before $5, in one row: each value behind the one before.
-- name: page
SELECT max(seq) AS last,
    string_agg(uuid_send(memory_id), '') AS ids,
    string_agg(halfvec_send(embedding), '') AS vectors,
    string_agg(CASE WHEN is_failure THEN '\x01'::bytea ELSE '\x00' END, '') AS is_failure
FROM (
    SELECT v.seq, v.memory_id, v.embedding, m.outcome IS NOT DISTINCT FROM 'failure' AS is_failure
    FROM pinak.memory_vectors AS v
    JOIN pinak.memories AS m ON m.namespace_id = v.namespace_id AND m.id = v.memory_id
    WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = $3 AND v.seq >= $4 AND v.seq < $5
    ORDER BY v.seq
    LIMIT $6
) AS page
