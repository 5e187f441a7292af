-- Windows that have to be written anew, around memories that are over.

-- From $3 living entries before each of the memories ($1, $2) to $3 after it. A session that had
-- settled was quiet; the row of one that is being settled is waited for, and nobody settles it then.
-- name: reopen_sessions
WITH reach AS MATERIALIZED (
    SELECT m.namespace_id, m.session,
        (array_agg(near.id ORDER BY near.id))[1] AS first_id,
        (array_agg(near.id ORDER BY near.id DESC))[1] AS last_id
    FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
    JOIN pinak.memories AS m USING (namespace_id, id)
    CROSS JOIN LATERAL (
        SELECT m.id
        UNION ALL
        (SELECT e.id FROM pinak.memories AS e
         WHERE e.namespace_id = m.namespace_id AND e.session = m.session AND e.id < m.id
            AND e.superseded_by IS NULL AND (e.expires_at IS NULL OR e.expires_at > now())
         ORDER BY e.id DESC LIMIT $3)
        UNION ALL
        (SELECT e.id FROM pinak.memories AS e
         WHERE e.namespace_id = m.namespace_id AND e.session = m.session AND e.id > m.id
            AND e.superseded_by IS NULL AND (e.expires_at IS NULL OR e.expires_at > now())
         ORDER BY e.id LIMIT $3)
    ) AS near
    WHERE m.session IS NOT NULL
    GROUP BY m.namespace_id, m.session, m.id
), reopened AS (
    INSERT INTO pinak.settling_sessions AS s (namespace_id, session, from_id, pending, last_at)
    SELECT namespace_id, session, (array_agg(first_id ORDER BY first_id))[1], $3 * count(*),
        '-infinity'
    FROM reach
    GROUP BY namespace_id, session
    ORDER BY namespace_id, session
    ON CONFLICT (namespace_id, session) DO UPDATE SET
        from_id = least(s.from_id, excluded.from_id), pending = s.pending + excluded.pending
)
SELECT namespace_id, session, first_id, last_id FROM reach

-- Whoever is storing the vector of one of them ends first: the next statement sees it.
-- name: hold_windows
SELECT w.memory_id
FROM unnest($1::integer[], $2::text[], $3::uuid[], $4::uuid[])
    AS r (namespace_id, session, first_id, last_id)
JOIN pinak.memories AS m
    ON m.namespace_id = r.namespace_id AND m.session = r.session
        AND m.id BETWEEN r.first_id AND r.last_id
JOIN pinak.memory_windows AS w ON w.namespace_id = m.namespace_id AND w.memory_id = m.id
ORDER BY w.namespace_id, w.memory_id
FOR UPDATE OF w

-- Every window of these sessions' entries from one to another, those that are over among them.
-- name: drop_windows
WITH near AS MATERIALIZED (
    SELECT DISTINCT m.namespace_id, m.id
    FROM unnest($1::integer[], $2::text[], $3::uuid[], $4::uuid[])
        AS r (namespace_id, session, first_id, last_id)
    JOIN pinak.memories AS m
        ON m.namespace_id = r.namespace_id AND m.session = r.session
            AND m.id BETWEEN r.first_id AND r.last_id
), vectors AS (
    DELETE FROM pinak.memory_vectors AS v USING near CROSS JOIN pinak.embedding_models AS e
    WHERE v.namespace_id = near.namespace_id AND v.model_id = e.id AND v.kind = 1
        AND v.memory_id = near.id
), dropped AS (
    DELETE FROM pinak.memory_windows AS w USING near
    WHERE w.namespace_id = near.namespace_id AND w.memory_id = near.id
    RETURNING w.namespace_id, length(w.lexemes) AS length
)
INSERT INTO pinak.window_stats AS s (namespace_id, windows, total_length)
SELECT namespace_id, -count(*), -sum(length) FROM dropped
GROUP BY namespace_id ORDER BY namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    windows = s.windows + excluded.windows, total_length = s.total_length + excluded.total_length
