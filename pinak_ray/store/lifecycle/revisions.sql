-- Revision and deletion of single memories.

-- name: lock
SELECT {memory}, superseded_by, superseded_at, now() AS now
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

-- What superseded one another around $2, $5 links away at most: the $4 newest before $3 (null: of
-- all), as many of them as $6 bytes hold but one at least, and $2 itself, oldest first. It ends where
-- one was forgotten.
-- name: versions
WITH RECURSIVE later AS (
    SELECT id, superseded_by, 0 AS links FROM pinak.memories WHERE namespace_id = $1 AND id = $2
    UNION ALL
    SELECT m.id, m.superseded_by, l.links + 1
    FROM later AS l JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = l.superseded_by
    WHERE l.links < $5
), earlier AS (
    SELECT $2::uuid AS id, 0 AS links
    UNION ALL
    SELECT m.id, e.links + 1
    FROM earlier AS e JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.superseded_by = e.id
    WHERE e.links < $5
), alive AS (
    SELECT m.id, m.created_at FROM pinak.memories AS m
    WHERE m.namespace_id = $1 AND (m.expires_at IS NULL OR m.expires_at > now())
        AND m.id IN (SELECT id FROM later UNION SELECT id FROM earlier)
        AND ($3::uuid IS NULL OR (m.created_at, m.id) < (
            SELECT b.created_at, b.id FROM pinak.memories AS b
            WHERE b.namespace_id = $1 AND b.id = $3))
    ORDER BY m.created_at DESC, m.id DESC
    LIMIT $4 + 1
), numbered AS (
    SELECT m.id, row_number() OVER newest AS place,
        sum(octet_length(m.content) + octet_length(m.details::text)) OVER newest AS size
    FROM alive JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = alive.id
    WINDOW newest AS (ORDER BY m.created_at DESC, m.id DESC)
), page AS (
    SELECT id FROM numbered WHERE place <= $4 AND (place = 1 OR size <= $6)
)
SELECT {memory}, superseded_by, superseded_at,
    id IN (SELECT id FROM page) AS on_page,
    (SELECT count(*) FROM page) < (SELECT count(*) FROM alive) AS more
FROM pinak.memories
WHERE namespace_id = $1 AND (expires_at IS NULL OR expires_at > now())
    AND (id = $2 OR id IN (SELECT id FROM page))
ORDER BY created_at, id

-- name: by_ids
SELECT {memory}, superseded_by, superseded_at
FROM pinak.memories
WHERE namespace_id = $1 AND id = ANY ($2::uuid[]) AND (expires_at IS NULL OR expires_at > now())
