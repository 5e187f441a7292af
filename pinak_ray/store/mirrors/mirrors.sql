-- Mirrors of namespaces, for the processes that answer from their own memory.

-- What may have changed in a namespace: its generation, and which memories are not embedded yet, own texts
-- or windows: the words of these count already. Of these only what was written by transactions that had not
-- ended at an earlier `horizon`, for the rest was told then. $1 namespace, $2 model, $3 that horizon or null.
-- A memory's words are written in the transaction that queues it, and it leaves the queue in the one that
-- stores its vector: whoever reads this, and then new vectors, misses none.
-- name: state
SELECT now() AS read_at,
    (SELECT coalesce(sum(g.n), 0)::bigint FROM pinak.generations AS g WHERE g.namespace_id = $1)
        AS number,
    pg_snapshot_xmin(pg_current_snapshot())::xid::text AS horizon,
    ARRAY(
        SELECT m.id
        FROM pinak.index_queue AS q CROSS JOIN LATERAL unnest(q.memory_ids) AS m (id)
        WHERE q.urgent = ANY ('{true,false}') AND q.namespace_id = $1
            AND ($3::text IS NULL OR age(q.xmin) <= age($3::text::xid))
        UNION ALL
        SELECT m.id
        FROM pinak.backfill_queue AS q
        CROSS JOIN LATERAL unnest(q.namespace_ids, q.memory_ids) AS m (namespace_id, id)
        WHERE q.model_id = $2 AND q.kind = 0 AND m.namespace_id = $1
            AND ($3::text IS NULL OR age(q.xmin) <= age($3::text::xid))
    ) AS own,
    ARRAY(
        SELECT m.id
        FROM pinak.backfill_queue AS q
        CROSS JOIN LATERAL unnest(q.namespace_ids, q.memory_ids) AS m (namespace_id, id)
        WHERE q.model_id = $2 AND q.kind = 1 AND m.namespace_id = $1
            AND ($3::text IS NULL OR age(q.xmin) <= age($3::text::xid))
    ) AS windows,
    ARRAY(
        SELECT f.memory_id FROM pinak.forgotten AS f
        WHERE f.namespace_id = $1 AND ($3::text IS NULL OR age(f.xmin) <= age($3::text::xid))
    ) AS forgotten,
    coalesce((SELECT documents FROM pinak.corpus_stats WHERE namespace_id = $1), 0)::bigint
        AS documents,
    coalesce((SELECT windows FROM pinak.window_stats WHERE namespace_id = $1), 0)::bigint AS told,
    (SELECT coalesce(sum(cardinality(q.memory_ids)), 0)::bigint FROM pinak.index_queue AS q
     WHERE q.urgent = ANY ('{true,false}') AND q.namespace_id = $1) AS queued

-- Memories with a vector numbered from $3 on and before $4 (null: to the end), the first $5 of these, written
-- since the horizon $6 (null: whenever); and those of $7, with a vector or not. In one row: each value behind
-- the one before. $1 namespace, $2 model.
-- name: own
WITH fresh AS MATERIALIZED (
    SELECT v.memory_id AS id, v.seq, v.embedding
    FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 0
        AND v.seq >= $3 AND v.seq < coalesce($4::bigint, 9223372036854775807)
        AND ($6::text IS NULL OR age(v.xmin) <= age($6::text::xid))
    ORDER BY v.seq
    LIMIT $5
), wanted AS (
    SELECT id, seq, embedding FROM fresh
    UNION ALL
    SELECT DISTINCT given.id, NULL::bigint, NULL::halfvec
    FROM unnest($7::uuid[]) AS given (id)
    WHERE NOT EXISTS (SELECT FROM fresh WHERE fresh.id = given.id)
)
SELECT max(w.seq) AS last,
    string_agg(uuid_send(m.id), '') AS ids,
    string_agg(int8send(coalesce(w.seq, 0)), '') AS seqs,
    string_agg(halfvec_send(w.embedding), '') AS vectors,
    string_agg(CASE WHEN m.superseded_by IS NULL THEN '\x01'::bytea ELSE '\x00' END, '') AS alive,
    string_agg(
        float8send(coalesce(extract(epoch FROM m.expires_at)::float8, 'Infinity')), '') AS expires,
    array_agg(m.lexemes::text) AS lexemes
FROM wanted AS w
CROSS JOIN LATERAL (
    SELECT * FROM pinak.memories AS m WHERE m.namespace_id = $1 AND m.id = w.id OFFSET 0
) AS m

-- The same of windows.
-- name: windows
WITH fresh AS MATERIALIZED (
    SELECT v.memory_id AS id, v.seq, v.embedding
    FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 1
        AND v.seq >= $3 AND v.seq < coalesce($4::bigint, 9223372036854775807)
        AND ($6::text IS NULL OR age(v.xmin) <= age($6::text::xid))
    ORDER BY v.seq
    LIMIT $5
), wanted AS (
    SELECT id, seq, embedding FROM fresh
    UNION ALL
    SELECT DISTINCT given.id, NULL::bigint, NULL::halfvec
    FROM unnest($7::uuid[]) AS given (id)
    WHERE NOT EXISTS (SELECT FROM fresh WHERE fresh.id = given.id)
)
SELECT max(w.seq) AS last,
    string_agg(uuid_send(m.memory_id), '') AS ids,
    string_agg(int8send(coalesce(w.seq, 0)), '') AS seqs,
    string_agg(halfvec_send(w.embedding), '') AS vectors,
    array_agg(m.lexemes::text) AS lexemes
FROM wanted AS w
CROSS JOIN LATERAL (
    SELECT * FROM pinak.memory_windows AS m
    WHERE m.namespace_id = $1 AND m.memory_id = w.id
    OFFSET 0
) AS m

-- How many memories there are, counted up to $2.
-- name: rows
SELECT count(*) FROM (SELECT FROM pinak.memories WHERE namespace_id = $1 LIMIT $2) AS m

-- How many memories there are, those that are over among them.
-- name: count
SELECT count(*) FROM pinak.memories WHERE namespace_id = $1

-- The memories of $2, and of $3 those whose windows, are not there any more.
-- name: gone
SELECT
    ARRAY(
        SELECT given.id FROM unnest($2::uuid[]) AS given (id) WHERE NOT EXISTS (
            SELECT FROM pinak.memories AS m WHERE m.namespace_id = $1 AND m.id = given.id)
    ) AS memories,
    ARRAY(
        SELECT given.id FROM unnest($3::uuid[]) AS given (id) WHERE NOT EXISTS (
            SELECT FROM pinak.memory_windows AS w
            WHERE w.namespace_id = $1 AND w.memory_id = given.id)
    ) AS windows

-- The memories that were found, if they still live, each with the number of its window's vector: null where
-- there is none, 0 where the window waits for it; and which of the ids it has. $1 namespace, $2 model, $3 ids.
-- name: read
SELECT
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at, m.created_at,
    m.details, m.source, m.expires_at, w.seq AS window_seq, found.number
FROM unnest($3::uuid[]) WITH ORDINALITY AS found (id, number)
CROSS JOIN LATERAL (
    SELECT * FROM pinak.memories AS m
    WHERE m.namespace_id = $1 AND m.id = found.id AND pinak.passes(m, NULL)
    OFFSET 0
) AS m
LEFT JOIN LATERAL (
    SELECT coalesce((
        SELECT v.seq FROM pinak.memory_vectors AS v
        WHERE v.namespace_id = $1 AND v.model_id = $2 AND v.kind = 1 AND v.memory_id = found.id
    ), 0) AS seq
    FROM pinak.memory_windows AS held
    WHERE held.namespace_id = $1 AND held.memory_id = found.id AND m.session IS NOT NULL
    OFFSET 0
) AS w ON true
ORDER BY m.id

-- Whether some of its terms are an older analysis'. $1 namespace.
-- name: is_being_analysed
SELECT EXISTS (SELECT FROM pinak.memories WHERE namespace_id = $1 AND analysis < 1)
    OR EXISTS (SELECT FROM pinak.memory_windows WHERE namespace_id = $1 AND analysis < 1)
