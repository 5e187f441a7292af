-- What was shown to whom, and what agents said of it.

-- Waits for no disk: what a crash of the machine takes back is half a second of cool-down.
-- $1 namespace, $2 agent, $3 ids of nudges, $4 of the memories that they tell of, $5 the request's id.
-- name: record_shown
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO pinak.nudges (namespace_id, id, agent, memory_id, operation_id)
SELECT $1, shown.id, $2, shown.memory_id, $5
FROM quick CROSS JOIN unnest($3::uuid[], $4::uuid[]) AS shown (id, memory_id)
ON CONFLICT (namespace_id, id)
    DO UPDATE SET shown_at = excluded.shown_at, operation_id = excluded.operation_id

-- $1 namespace, $2 agent, $3 id of a nudge or of a memory, $4 verdict, $5 whose voice
-- it is, '' for the agent's own. Returns one row, or none where no living memory is behind the id;
-- `new` is false where that voice had said something before for this agent.
-- name: keep_feedback
INSERT INTO pinak.nudge_feedback AS f (namespace_id, memory_id, voice, agent, subject, verdict)
SELECT m.namespace_id, m.id, $5, $2, $3, $4
FROM pinak.memories AS m
WHERE m.namespace_id = $1 AND m.id = coalesce(
    (SELECT n.memory_id FROM pinak.nudges AS n WHERE n.namespace_id = $1 AND n.id = $3), $3)
    AND (m.expires_at IS NULL OR m.expires_at > now())
ON CONFLICT (namespace_id, memory_id, voice, agent, subject)
    DO UPDATE SET verdict = excluded.verdict, given_at = excluded.given_at
RETURNING xmax = 0 AS new
