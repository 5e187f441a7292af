-- What came of the runs that used thought templates.

-- The last word on this run counts; `new` is false where there was one before. Returns one row, or none
-- where $2 is no living template. $1 namespace, $2 template, $3 run, $4 agent, $5 success, $6 tag.
-- name: tell_outcome
INSERT INTO pinak.template_outcomes AS o (namespace_id, template_id, run, agent, success)
SELECT m.namespace_id, m.id, $3, $4, $5
FROM pinak.memories AS m
WHERE m.namespace_id = $1 AND m.id = $2 AND m.tags @> ARRAY[$6]
    AND m.superseded_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
FOR KEY SHARE OF m
ON CONFLICT (namespace_id, template_id, run)
    DO UPDATE SET success = excluded.success, agent = excluded.agent, told_at = excluded.told_at
RETURNING xmax = 0 AS new

-- $1 namespace, $2 templates. One row for each that was ever used.
-- name: outcomes_of
SELECT template_id, count(*) AS runs, count(*) FILTER (WHERE success) AS successes
FROM pinak.template_outcomes
WHERE namespace_id = $1 AND template_id = ANY ($2::uuid[])
GROUP BY template_id
