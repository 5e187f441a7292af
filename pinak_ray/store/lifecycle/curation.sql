-- Curation: accesses, what is weak, what says the same, the archive, and where a sweep stands.

-- Ordered by key, so that two processes cannot deadlock on the same memories. One that somebody holds
-- to change or remove it is left out: nobody waits for a count.
-- name: add_accesses
INSERT INTO pinak.memory_access AS a (namespace_id, memory_id, accesses, last_accessed_at)
SELECT q.namespace_id, q.id, q.accesses, now()
FROM unnest($1::integer[], $2::uuid[], $3::bigint[]) AS q (namespace_id, id, accesses)
JOIN pinak.memories AS m USING (namespace_id, id)
ORDER BY q.namespace_id, q.id
FOR KEY SHARE OF m SKIP LOCKED
ON CONFLICT (namespace_id, memory_id) DO UPDATE SET
    accesses = a.accesses + excluded.accesses,
    last_accessed_at = greatest(a.last_accessed_at, excluded.last_accessed_at)

-- The session's, so that a pass of many short transactions holds it, and its end releases it.
-- name: take_turn
SELECT pg_try_advisory_lock(hashtext('pinak curation'), $1)

-- name: end_turn
SELECT pg_advisory_unlock(hashtext('pinak curation'), $1)

-- Namespaces behind $1 that nobody curated for $2. Where a pass would do nothing ($3 is false) there
-- may still be something to leave the archive.
-- name: namespaces
SELECT id, tenant, project FROM pinak.namespaces AS n
WHERE id > $1 AND NOT EXISTS (
        SELECT FROM pinak.curations AS c
        WHERE c.namespace_id = n.id AND c.ended_at > now() - $2::interval)
    AND ($3 OR EXISTS (SELECT FROM pinak.memory_archive AS a WHERE a.namespace_id = n.id))
ORDER BY id
LIMIT $4

-- name: namespace
SELECT id FROM pinak.namespaces WHERE tenant = $1 AND project = $2

-- name: standing
SELECT forget_after, merge_after FROM pinak.curations WHERE namespace_id = $1

-- name: keep_report
INSERT INTO pinak.curations (namespace_id, forget_after, merge_after, report, ended_at)
VALUES ($1, $2, $3, $4, now())
ON CONFLICT (namespace_id) DO UPDATE SET
    forget_after = excluded.forget_after, merge_after = excluded.merge_after,
    report = excluded.report, ended_at = excluded.ended_at

-- name: report
SELECT report, (SELECT count(*) FROM pinak.memory_archive WHERE namespace_id = $1) AS archived
FROM (SELECT 1) AS one LEFT JOIN pinak.curations AS c ON c.namespace_id = $1

-- name: expired
SELECT count(*) FROM pinak.memories WHERE namespace_id = $1 AND expires_at <= now()

-- The next memories in the order of their key. $1 namespace, $2 behind which id, $3 how many, $4 the
-- least age, $5 from which salience on one is kept for good. What `may_go` is no failure that nudges
-- live on, no document, no thought template (its runs say what it is worth), not due to expire by
-- itself, and took no other's place.
-- name: next_memories
SELECT m.id,
    m.created_at < now() - $4::interval
        AND m.layer <> 'reference'
        AND m.expires_at IS NULL
        AND m.salience < $5
        AND (m.outcome IS DISTINCT FROM 'failure' OR m.superseded_by IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM pinak.memories AS older
            WHERE older.namespace_id = $1 AND older.superseded_by = m.id)
        AND NOT EXISTS (
            SELECT FROM pinak.template_outcomes AS o
            WHERE o.namespace_id = $1 AND o.template_id = m.id) AS may_go
FROM pinak.memories AS m
WHERE m.namespace_id = $1 AND m.id > $2
ORDER BY m.id
LIMIT $3

-- name: uses
SELECT m.id, m.salience, coalesce(a.accesses, 0) AS accesses,
    extract(epoch FROM now() - greatest(m.created_at, a.last_accessed_at))::float8 / 86400
        AS idle_days
FROM pinak.memories AS m
LEFT JOIN pinak.memory_access AS a ON a.namespace_id = m.namespace_id AND a.memory_id = m.id
WHERE m.namespace_id = $1 AND m.id = ANY ($2::uuid[])

-- Those of these memories that nobody is changing. One that is still queued for indexing waits: its
-- terms must be counted before they leave.
-- name: lock
SELECT id FROM pinak.memories
WHERE namespace_id = $1 AND id = ANY ($2::uuid[]) AND expires_at IS NULL
    AND NOT EXISTS (SELECT FROM pinak.index_queue AS q WHERE memories.id = ANY (q.memory_ids))
ORDER BY id
FOR UPDATE SKIP LOCKED

-- name: texts
SELECT id, left(content, 200) AS content, octet_length(content) AS bytes
FROM pinak.memories WHERE namespace_id = $1 AND id = ANY ($2::uuid[])
ORDER BY id

-- Memories of no session that have the same text: $2 groups of $3 at most. A turn of a conversation is
-- no duplicate of another one, and what expires by itself neither takes a place nor leaves it.
-- name: same_texts
WITH twice AS MATERIALIZED (
    SELECT layer, outcome, content_hash
    FROM pinak.memories
    WHERE namespace_id = $1 AND superseded_by IS NULL AND session IS NULL AND expires_at IS NULL
    GROUP BY layer, outcome, content_hash
    HAVING count(*) > 1
    LIMIT $2
)
SELECT (array_agg(m.id ORDER BY m.id))[:$3] AS ids
FROM twice AS t
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.layer = t.layer
    AND m.outcome IS NOT DISTINCT FROM t.outcome AND m.content_hash = t.content_hash
WHERE m.superseded_by IS NULL AND m.session IS NULL AND m.expires_at IS NULL
GROUP BY t.layer, t.outcome, t.content_hash

-- Pairs that the Indexer found to be similar, in the order of their key.
-- name: similar
SELECT from_id, to_id FROM pinak.memory_links
WHERE namespace_id = $1 AND kind = 'similar' AND author IS NULL AND from_id > $2 AND strength >= $3
ORDER BY from_id, to_id
LIMIT $4

-- What a merge looks at, of those among these that may be merged: two templates have runs of their
-- own.
-- name: candidates
SELECT id, layer, outcome, content, created_at, tags, entities, salience
FROM pinak.memories
WHERE namespace_id = $1 AND id = ANY ($2::uuid[])
    AND superseded_by IS NULL AND session IS NULL AND expires_at IS NULL
    AND NOT EXISTS (
        SELECT FROM pinak.template_outcomes AS o WHERE o.namespace_id = $1 AND o.template_id = id)

-- name: enrich
UPDATE pinak.memories SET tags = $3, entities = $4, salience = $5
WHERE namespace_id = $1 AND id = $2

-- What agents linked the merged memory ($3) to is linked to the kept one ($2) too. A `similar` link is
-- kept from the larger id to the smaller.
-- name: move_links
INSERT INTO pinak.memory_links (namespace_id, from_id, to_id, kind, strength, author, created_at)
SELECT $1, CASE l.kind WHEN 'similar' THEN greatest(a, b) ELSE a END,
    CASE l.kind WHEN 'similar' THEN least(a, b) ELSE b END, l.kind, l.strength, l.author, l.created_at
FROM (
    SELECT CASE from_id WHEN $3 THEN $2 ELSE from_id END AS a,
        CASE to_id WHEN $3 THEN $2 ELSE to_id END AS b, kind, strength, author, created_at
    FROM pinak.memory_links
    WHERE namespace_id = $1 AND (from_id = $3 OR to_id = $3) AND author IS NOT NULL
) AS l
JOIN pinak.memories AS far ON far.namespace_id = $1 AND far.id = CASE a WHEN $2 THEN b ELSE a END
WHERE a <> b
ORDER BY 2, 3, 4
FOR KEY SHARE OF far
ON CONFLICT DO NOTHING

-- name: move_accesses
INSERT INTO pinak.memory_access AS a (namespace_id, memory_id, accesses, last_accessed_at)
SELECT namespace_id, $2, accesses, last_accessed_at
FROM pinak.memory_access WHERE namespace_id = $1 AND memory_id = $3
ON CONFLICT (namespace_id, memory_id) DO UPDATE SET
    accesses = a.accesses + excluded.accesses,
    last_accessed_at = greatest(a.last_accessed_at, excluded.last_accessed_at)

-- name: move_gradings
INSERT INTO pinak.retrieval_feedback (namespace_id, memory_id, agent, question, score, graded_at)
SELECT namespace_id, $2, agent, question, score, graded_at
FROM pinak.retrieval_feedback WHERE namespace_id = $1 AND memory_id = $3
ON CONFLICT DO NOTHING

-- name: move_verdicts
INSERT INTO pinak.nudge_feedback (namespace_id, memory_id, voice, agent, subject, verdict, given_at)
SELECT namespace_id, $2, voice, agent, subject, verdict, given_at
FROM pinak.nudge_feedback WHERE namespace_id = $1 AND memory_id = $3
ON CONFLICT DO NOTHING

-- Whole memories, before they are deleted; vectors, windows and similar links are found again.
-- name: archive
INSERT INTO pinak.memory_archive (namespace_id, memory_id, memory, links, accesses, reason)
SELECT m.namespace_id, m.id, to_jsonb(m) - 'lexemes' - 'analysis',
    coalesce((
        SELECT jsonb_agg(to_jsonb(l)) FROM pinak.memory_links AS l
        WHERE l.namespace_id = m.namespace_id AND (l.from_id = m.id OR l.to_id = m.id)
            AND l.author IS NOT NULL), '[]'),
    coalesce(a.accesses, 0), $3
FROM pinak.memories AS m
LEFT JOIN pinak.memory_access AS a ON a.namespace_id = m.namespace_id AND a.memory_id = m.id
WHERE m.namespace_id = $1 AND m.id = ANY ($2::uuid[])
ON CONFLICT (namespace_id, memory_id) DO UPDATE SET
    memory = excluded.memory, links = excluded.links, accesses = excluded.accesses,
    reason = excluded.reason, archived_at = now()

-- name: take_archived
DELETE FROM pinak.memory_archive WHERE namespace_id = $1 AND memory_id = $2
RETURNING memory, links, accesses

-- name: put_back
INSERT INTO pinak.memories ({memory}, superseded_by, superseded_at)
SELECT {memory}, superseded_by, superseded_at
FROM jsonb_populate_record(
    NULL::pinak.memories, $1::jsonb || '{"lexemes": "", "analysis": 0}')
ON CONFLICT DO NOTHING

-- Of its links those whose other end is still there.
-- name: put_links_back
INSERT INTO pinak.memory_links (namespace_id, from_id, to_id, kind, strength, author, created_at)
SELECT l.namespace_id, l.from_id, l.to_id, l.kind, l.strength, l.author, l.created_at
FROM jsonb_populate_recordset(NULL::pinak.memory_links, $1::jsonb) AS l
JOIN pinak.memories AS one ON one.namespace_id = l.namespace_id AND one.id = l.from_id
JOIN pinak.memories AS other ON other.namespace_id = l.namespace_id AND other.id = l.to_id
ORDER BY 2, 3, 4
FOR KEY SHARE OF one, other
ON CONFLICT DO NOTHING

-- name: purge_archive
WITH removed AS (
    DELETE FROM pinak.memory_archive WHERE (namespace_id, memory_id) IN (
        SELECT namespace_id, memory_id FROM pinak.memory_archive
        WHERE namespace_id = $1 AND archived_at < now() - $2::interval
        ORDER BY archived_at LIMIT $3
        FOR UPDATE SKIP LOCKED
    ) RETURNING 1
)
SELECT count(*) FROM removed

-- name: purgeable
SELECT count(*) FROM pinak.memory_archive
WHERE namespace_id = $1 AND archived_at < now() - $2::interval

-- name: forget_archived
DELETE FROM pinak.memory_archive WHERE namespace_id = $1 AND memory_id = $2 RETURNING true
