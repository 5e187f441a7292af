-- name: record
INSERT INTO pinak.recorded_queries (namespace_id, slot, query)
SELECT DISTINCT ON (namespace_id, slot) namespace_id, slot, query
FROM unnest($1::integer[], $2::text[]) AS q (namespace_id, query)
CROSS JOIN LATERAL (SELECT (hashtext(query) & 511)::smallint AS slot) AS s
ORDER BY namespace_id, slot
ON CONFLICT (namespace_id, slot) DO UPDATE SET query = excluded.query, recorded_at = now()

-- name: latest
SELECT namespace_id, query FROM pinak.recorded_queries
WHERE recorded_at > now() - interval '7 days' AND ($1::integer IS NULL OR namespace_id = $1)
ORDER BY recorded_at DESC, namespace_id, slot
LIMIT $2
