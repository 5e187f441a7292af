-- Rows whose terms were made by an older analysis, made anew beside all that goes on.

-- The index on `analysis < 1` finds them. What is queued for indexing is analysed there: its terms are not
-- counted yet.
-- name: take
SELECT m.namespace_id, m.id, m.agent, m.session, m.content
FROM pinak.memories AS m
WHERE m.analysis < 1
    AND NOT EXISTS (SELECT FROM pinak.index_queue AS q WHERE m.id = ANY (q.memory_ids))
ORDER BY m.namespace_id, m.id
LIMIT $1
FOR UPDATE OF m SKIP LOCKED

-- name: take_indexed
SELECT m.namespace_id, m.id, m.agent, m.session, m.content
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
WHERE m.analysis < 1
ORDER BY m.namespace_id, m.id
FOR UPDATE OF m

-- What the counts of terms become, in the order of keys of count_terms. $1 to $3 the rows with their new
-- lexemes.
-- name: recount_terms
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::integer[], $2::uuid[], $3::tsvector[]) AS g (namespace_id, id, lexemes)
), changed AS (
    SELECT g.namespace_id, term, 1 AS number
    FROM given AS g CROSS JOIN LATERAL unnest(tsvector_to_array(g.lexemes)) AS term
    UNION ALL
    SELECT m.namespace_id, term, -1
    FROM given AS g JOIN pinak.memories AS m USING (namespace_id, id)
    CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS term
)
INSERT INTO pinak.term_stats AS t (namespace_id, term, documents)
SELECT namespace_id, term, sum(number) FROM changed
GROUP BY namespace_id, term HAVING sum(number) <> 0
ORDER BY namespace_id, term
ON CONFLICT (namespace_id, term) DO UPDATE SET documents = t.documents + excluded.documents

-- name: recount_documents
INSERT INTO pinak.corpus_stats AS c (namespace_id, documents, total_length)
SELECT m.namespace_id, 0, sum(length(g.lexemes) - length(m.lexemes))
FROM unnest($1::integer[], $2::uuid[], $3::tsvector[]) AS g (namespace_id, id, lexemes)
JOIN pinak.memories AS m USING (namespace_id, id)
GROUP BY m.namespace_id ORDER BY m.namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET total_length = c.total_length + excluded.total_length

-- name: store
UPDATE pinak.memories AS m SET lexemes = g.lexemes, analysis = $4
FROM unnest($1::integer[], $2::uuid[], $3::tsvector[]) AS g (namespace_id, id, lexemes)
WHERE m.namespace_id = g.namespace_id AND m.id = g.id

-- name: take_windows
SELECT namespace_id, memory_id AS id FROM pinak.memory_windows
WHERE analysis < 1
ORDER BY namespace_id, memory_id
LIMIT $1
FOR UPDATE SKIP LOCKED

-- Each window's entries in their order. $3 how many to each side.
-- name: around
SELECT m.namespace_id, m.id, n.id AS near_id, n.agent, n.session, n.content
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
CROSS JOIN LATERAL (
    (SELECT id, agent, session, content FROM pinak.memories
     WHERE namespace_id = m.namespace_id AND session = m.session AND id < m.id
        AND superseded_by IS NULL AND (expires_at IS NULL OR expires_at > now())
     ORDER BY id DESC LIMIT $3)
    UNION ALL
    (SELECT m.id, m.agent, m.session, m.content)
    UNION ALL
    (SELECT id, agent, session, content FROM pinak.memories
     WHERE namespace_id = m.namespace_id AND session = m.session AND id > m.id
        AND superseded_by IS NULL AND (expires_at IS NULL OR expires_at > now())
     ORDER BY id LIMIT $3)
) AS n
ORDER BY m.namespace_id, m.id, n.id

-- name: store_windows
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::integer[], $2::uuid[], $3::tsvector[]) AS g (namespace_id, id, lexemes)
), changed AS (
    SELECT w.namespace_id, sum(length(g.lexemes) - length(w.lexemes)) AS length
    FROM given AS g
    JOIN pinak.memory_windows AS w ON w.namespace_id = g.namespace_id AND w.memory_id = g.id
    GROUP BY w.namespace_id
), stored AS (
    UPDATE pinak.memory_windows AS w SET lexemes = g.lexemes, analysis = $4
    FROM given AS g
    WHERE w.namespace_id = g.namespace_id AND w.memory_id = g.id
)
INSERT INTO pinak.window_stats AS s (namespace_id, windows, total_length)
SELECT namespace_id, 0, length FROM changed ORDER BY namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET total_length = s.total_length + excluded.total_length

-- name: drop_window_vectors
DELETE FROM pinak.memory_vectors AS v
USING unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
CROSS JOIN pinak.embedding_models AS e
WHERE v.namespace_id = q.namespace_id AND v.model_id = e.id AND v.kind = 1 AND v.memory_id = q.id

-- name: owe_windows
INSERT INTO pinak.backfill_queue (model_id, kind, namespace_ids, memory_ids)
SELECT id, 1, $1, $2 FROM pinak.embedding_models WHERE spec IS NOT NULL

-- name: left
SELECT (SELECT count(*) FROM pinak.memories WHERE analysis < 1)
    + (SELECT count(*) FROM pinak.memory_windows WHERE analysis < 1)
