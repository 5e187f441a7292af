-- Generations: how often that which a namespace's recalls may return has changed.

-- name: read
SELECT wanted.namespace_id, now() AS read_at,
    (SELECT coalesce(sum(g.n), 0)::bigint FROM pinak.generations AS g
     WHERE g.namespace_id = wanted.namespace_id) AS number
FROM unnest($1::integer[]) AS wanted (namespace_id)

-- Up to $1 new rows, and what their namespaces were folded into before, become one row a namespace.
-- One statement: whoever reads meanwhile sees all of the old rows or the new one, the sum is equal.
-- name: fold
WITH fresh AS MATERIALIZED (
    SELECT namespace_id, id FROM pinak.generations
    WHERE NOT folded
    ORDER BY id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), before AS MATERIALIZED (
    SELECT namespace_id, id FROM pinak.generations
    WHERE folded AND namespace_id IN (SELECT namespace_id FROM fresh)
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM pinak.generations AS g USING (TABLE fresh UNION ALL TABLE before) AS t
    WHERE g.namespace_id = t.namespace_id AND g.id = t.id
    RETURNING g.namespace_id, g.n
), sums AS (
    INSERT INTO pinak.generations (namespace_id, n, folded)
    SELECT namespace_id, sum(n), true FROM gone GROUP BY namespace_id
)
SELECT count(*) FROM fresh
