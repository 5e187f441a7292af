-- Revision and deletion of single memories.

-- name: lock
SELECT id, namespace_id, agent, layer, content, session, details, tags, entities, outcome, salience,
    occurred_at, created_at, expires_at, source, superseded_by, superseded_at, now() AS now
FROM pinak.memories
WHERE namespace_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > now())
FOR UPDATE

-- name: lives
SELECT EXISTS (
    SELECT FROM pinak.memories
    WHERE namespace_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > now()))

-- name: is_stored
SELECT EXISTS (SELECT FROM pinak.memories WHERE namespace_id = $1 AND id = $2)
    OR EXISTS (SELECT FROM pinak.forgotten WHERE namespace_id = $1 AND memory_id = $2)

-- name: supersede
UPDATE pinak.memories SET superseded_by = $3, superseded_at = now()
WHERE namespace_id = $1 AND id = $2

-- From before all time, so that it is not found `as_of` any moment either.
-- name: forget
UPDATE pinak.memories AS m SET expires_at = '-infinity'
WHERE namespace_id = $1 AND id = $2 AND expires_at IS DISTINCT FROM '-infinity'
RETURNING EXISTS (SELECT FROM pinak.index_queue AS q WHERE m.id = ANY (q.memory_ids)) AS is_queued

-- Longer than any client retries: what was forgotten is not stored again by the call that stored it.
-- name: note_forgotten
INSERT INTO pinak.forgotten (namespace_id, memory_id) VALUES ($1, $2)
ON CONFLICT (namespace_id, memory_id) DO UPDATE SET forgotten_at = now()

-- All that superseded one another around $2, oldest first. It ends where one was forgotten.
-- name: versions
WITH RECURSIVE later AS (
    SELECT id, superseded_by FROM pinak.memories WHERE namespace_id = $1 AND id = $2
    UNION
    SELECT m.id, m.superseded_by
    FROM later JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = later.superseded_by
), earlier AS (
    SELECT $2::uuid AS id
    UNION
    SELECT m.id
    FROM earlier JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.superseded_by = earlier.id
)
SELECT id, namespace_id, agent, layer, content, session, details, tags, entities, outcome, salience,
    occurred_at, created_at, expires_at, source, superseded_by, superseded_at
FROM pinak.memories
WHERE namespace_id = $1 AND (expires_at IS NULL OR expires_at > now())
    AND id IN (SELECT id FROM later UNION SELECT id FROM earlier)
ORDER BY created_at, id
LIMIT $3
