-- Figures of the session's namespace.

-- name: layers
SELECT layer, count(*) AS memories
FROM pinak.memories
WHERE namespace_id = current_setting('pinak.namespace_id')::integer
    AND (expires_at IS NULL OR expires_at > now())
GROUP BY layer ORDER BY layer

-- name: counts
SELECT
    (SELECT count(*) FROM pinak.memory_vectors
        WHERE namespace_id = current_setting('pinak.namespace_id')::integer AND kind = 0) AS vectors,
    (SELECT count(*) FROM pinak.working_items
        WHERE namespace_id = current_setting('pinak.namespace_id')::integer) AS working_items,
    (SELECT count(*) FROM pinak.entries
        WHERE namespace_id = current_setting('pinak.namespace_id')::integer) AS entries
