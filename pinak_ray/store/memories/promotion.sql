-- What of what shall be promoted is there already.

-- Of each memory that stands for an entry what it is now: itself, or the last of those that superseded
-- one another after it, with the state of the entry that this was made from. $2 ids.
-- name: current
WITH RECURSIVE chain AS (
    SELECT m.id AS first, m.id, m.superseded_by, 0 AS step
    FROM pinak.memories AS m
    WHERE m.namespace_id = $1 AND m.id = ANY ($2::uuid[])
    UNION ALL
    SELECT chain.first, m.id, m.superseded_by, chain.step + 1
    FROM chain JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = chain.superseded_by
)
SELECT DISTINCT ON (chain.first)
    chain.first, m.id AS current, m.details -> 'promoted' AS made
FROM chain JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = chain.id
ORDER BY chain.first, chain.step DESC

-- $1 what narrows the search for each content, $2 their hashes; the namespace is the session's.
-- name: saying
SELECT place, id FROM pinak.memories_saying($1::text[]::tsquery[], $2)
