-- Links between memories: made and removed, found by the Indexer, followed.

-- Of these memories those that are there, locked against going until the links to them are committed.
-- name: living
SELECT m.namespace_id, m.id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
WHERE m.expires_at IS NULL OR m.expires_at > now()
FOR KEY SHARE OF m

-- name: existing
SELECT l.namespace_id, l.from_id, l.to_id, l.kind
FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::text[])
    AS q (namespace_id, from_id, to_id, kind)
JOIN pinak.memory_links AS l USING (namespace_id, from_id, to_id, kind)

-- Ordered by key, so that two writers cannot deadlock on the same links.
-- name: put
INSERT INTO pinak.memory_links AS l (namespace_id, from_id, to_id, kind, strength, author)
SELECT namespace_id, from_id, to_id, kind, strength, author
FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::text[])
    AS q (namespace_id, from_id, to_id, kind, strength, author)
ORDER BY namespace_id, from_id, to_id, kind
ON CONFLICT (namespace_id, from_id, to_id, kind) DO UPDATE
SET strength = excluded.strength, author = excluded.author

-- name: remove
DELETE FROM pinak.memory_links AS l
USING unnest($1::integer[], $2::uuid[], $3::uuid[], $4::text[])
    AS q (namespace_id, from_id, to_id, kind)
WHERE l.namespace_id = q.namespace_id AND l.from_id = q.from_id AND l.to_id = q.to_id
    AND l.kind = q.kind

-- name: queue
INSERT INTO pinak.link_queue (namespace_ids, memory_ids) VALUES ($1::integer[], $2::uuid[])

-- name: take
SELECT id, namespace_ids, memory_ids
FROM pinak.link_queue
ORDER BY id
LIMIT 1
FOR UPDATE SKIP LOCKED

-- name: leave
UPDATE pinak.link_queue SET namespace_ids = $2, memory_ids = $3 WHERE id = $1

-- name: done
DELETE FROM pinak.link_queue WHERE id = $1

-- name: unlinked
SELECT coalesce(sum(cardinality(memory_ids)), 0)::bigint FROM pinak.link_queue

-- name: serve
SELECT set_config('pinak.namespace_id', $1, true)

-- What is similar to memories, with the beginning of both texts. $1 the session's namespace, $2 memories
-- of it, $3 the model, $4 how many each, $5 the least cosine. The nearest is the memory itself. Both are
-- locked against going until they are linked.
-- name: similar
SELECT greatest(q.id, near.id) AS from_id, least(q.id, near.id) AS to_id,
    least(1, 1 - near.distance) AS cosine,
    left(own.content, 1000) AS one, left(m.content, 1000) AS other
FROM unnest($2::uuid[]) AS q (id)
JOIN pinak.memories AS own ON own.namespace_id = $1 AND own.id = q.id
JOIN pinak.memory_vectors AS v
    ON v.namespace_id = $1 AND v.model_id = $3 AND v.kind = 0 AND v.memory_id = q.id
CROSS JOIN LATERAL (
    SELECT n.id, n.distance
    FROM pinak.nearest($3, 0::smallint, v.embedding, $4 + 1, NULL::pinak.filters) AS n
    WHERE n.id <> q.id AND n.distance <= 1 - $5::float8
    ORDER BY n.distance, n.id
    LIMIT $4
) AS near
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = near.id
ORDER BY 1, 2
FOR KEY SHARE OF own, m

-- Two memories that find each other get one link.
-- name: link_similar
INSERT INTO pinak.memory_links (namespace_id, from_id, to_id, kind, strength)
SELECT $1, from_id, to_id, 'similar', strength
FROM unnest($2::uuid[], $3::uuid[], $4::float8[]) AS q (from_id, to_id, strength)
ORDER BY from_id, to_id
ON CONFLICT DO NOTHING

-- name: start
SELECT FROM pinak.memories
WHERE namespace_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > now())

-- One link further. $1 namespace, $2 memories and $3 the strength of the path to each, $4 where the
-- paths have been, $5 kinds of links (null: any), $6 the least strength of a path, $7 how many links
-- of a memory each way, $8 how many memories, $9 to $19 the filters. Strongest first, each memory once.
-- name: neighbours
WITH reached AS (
    SELECT l.id, l.from_id, l.to_id, l.kind, l.strength AS link_strength, l.author,
        l.created_at AS linked_at, f.strength * l.strength AS strength
    FROM unnest($2::uuid[], $3::float8[]) AS f (id, strength)
    CROSS JOIN LATERAL (
        (SELECT to_id AS id, from_id, to_id, kind, strength, author, created_at
         FROM pinak.memory_links
         WHERE namespace_id = $1 AND from_id = f.id AND ($5::text[] IS NULL OR kind = ANY ($5))
         ORDER BY strength DESC, to_id, kind
         LIMIT $7)
        UNION ALL
        (SELECT from_id AS id, from_id, to_id, kind, strength, author, created_at
         FROM pinak.memory_links
         WHERE namespace_id = $1 AND to_id = f.id AND ($5 IS NULL OR kind = ANY ($5))
         ORDER BY strength DESC, from_id, kind
         LIMIT $7)
    ) AS l
    WHERE l.id <> ALL ($4::uuid[])
), best AS (
    SELECT DISTINCT ON (id) *
    FROM reached
    WHERE strength >= $6::float8
    ORDER BY id, strength DESC, from_id, to_id, kind
)
SELECT
    b.strength AS path_strength, b.from_id, b.to_id, b.kind, b.link_strength, b.author, b.linked_at,
    m.id, m.content, m.layer, m.agent, m.session, m.tags, m.outcome, m.occurred_at,
    m.created_at, m.details, m.source
FROM best AS b
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = b.id
WHERE pinak.passes(m, ROW(
    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
    $16::text, $17::timestamptz, $18::timestamptz, $19::timestamptz)::pinak.filters)
ORDER BY path_strength DESC, m.id
LIMIT $8
