-- Writing and reading memories.

-- name: make_staging
CREATE TEMP TABLE IF NOT EXISTS staged_memories (
    {memory_types}, write_key uuid, says bytea
) ON COMMIT DELETE ROWS

-- What ended lets go of its key. Ordered, so that two writers cannot deadlock on the same keys.
-- name: free_keys
WITH ended AS (
    SELECT m.namespace_id, m.id
    FROM pinak.memories AS m
    JOIN staged_memories AS s USING (namespace_id, write_key)
    WHERE m.expires_at <= now()
    ORDER BY m.namespace_id, m.id
    FOR UPDATE OF m
)
UPDATE pinak.memories AS m SET write_key = NULL, says = NULL
FROM ended WHERE m.namespace_id = ended.namespace_id AND m.id = ended.id

-- In the order of the batch: of two under one id or key the first is stored.
-- name: insert_staged
INSERT INTO pinak.memories ({memory}, write_key, says)
SELECT {memory}, write_key, says
FROM staged_memories AS s
WHERE NOT EXISTS (
    SELECT FROM pinak.forgotten AS f WHERE f.namespace_id = s.namespace_id AND f.memory_id = s.id)
ORDER BY s.ctid
ON CONFLICT DO NOTHING
RETURNING namespace_id, id

-- Of each keyed memory whose id is not stored, which one has its key, and whether it says the same.
-- Of one from before keys had digests only the content is known. An id that was stored is no question
-- of keys: it is the same call again.
-- name: holders_of_staged
SELECT s.namespace_id, s.id, m.id AS holder,
    CASE WHEN m.says IS NULL THEN m.content_hash = s.content_hash ELSE m.says = s.says END AS is_same
FROM staged_memories AS s
LEFT JOIN pinak.memories AS m
    ON m.namespace_id = s.namespace_id AND m.write_key = s.write_key
WHERE s.write_key IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM pinak.memories AS own WHERE own.namespace_id = s.namespace_id AND own.id = s.id)
    AND NOT EXISTS (
        SELECT FROM pinak.forgotten AS f
        WHERE f.namespace_id = s.namespace_id AND f.memory_id = s.id)

-- name: make_staged_vectors
CREATE TEMP TABLE IF NOT EXISTS staged_vectors (
    namespace_id integer, model_id integer, kind smallint, memory_id uuid, embedding halfvec
) ON COMMIT DELETE ROWS

-- name: insert_staged_vectors
INSERT INTO pinak.memory_vectors (namespace_id, model_id, kind, memory_id, embedding)
SELECT namespace_id, model_id, kind, memory_id, embedding FROM staged_vectors

-- name: must_stage
SELECT row_security_active('pinak.memory_vectors')

-- name: stored
SELECT namespace_id, id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories USING (namespace_id, id)

-- The living memory of a key, and whether it says the same ($3 the digest, $4 the content's hash).
-- name: holder_of
SELECT id, CASE WHEN says IS NULL THEN content_hash = $4 ELSE says = $3 END AS is_same
FROM pinak.memories
WHERE namespace_id = $1 AND write_key = $2 AND (expires_at IS NULL OR expires_at > now())
