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

-- name: scratchpad_kinds
SELECT kind, count(*) AS entries, sum(octet_length(content) + pg_column_size(details)) AS bytes
FROM pinak.entries
WHERE namespace_id = current_setting('pinak.namespace_id')::integer AND space = 'agent'
    AND (expires_at IS NULL OR expires_at > now())
GROUP BY kind ORDER BY kind

-- name: scratchpads
SELECT
    count(DISTINCT owner) AS scratchpads,
    count(DISTINCT owner) FILTER (WHERE created_at > now() - interval '1 day') AS active,
    coalesce(
        sum((details -> 'reuse_count')::bigint)
            FILTER (WHERE kind = 'example' AND jsonb_typeof(details -> 'reuse_count') = 'number'),
        0
    )::bigint AS examples_found,
    (SELECT count(*) FROM pinak.memories
        WHERE namespace_id = current_setting('pinak.namespace_id')::integer
            AND layer = 'procedural' AND tags @> ARRAY[$1::text] AND superseded_by IS NULL
            AND (expires_at IS NULL OR expires_at > now())) AS templates
FROM pinak.entries
WHERE namespace_id = current_setting('pinak.namespace_id')::integer AND space = 'agent'
    AND (expires_at IS NULL OR expires_at > now())
