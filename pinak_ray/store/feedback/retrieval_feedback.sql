-- What memories were worth for the questions that they were recalled for.

-- The agent's last grade of each memory for this question. Not of one that is gone. $1 namespace,
-- $2 agent, $3 question, $4 memories, $5 a score in [-1, 1] for each.
-- name: keep
INSERT INTO pinak.retrieval_feedback AS f (namespace_id, memory_id, agent, question, score)
SELECT $1, m.id, $2, $3, given.score
FROM unnest($4::uuid[], $5::float8[]) AS given (id, score)
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = given.id
ORDER BY m.id
FOR KEY SHARE OF m
ON CONFLICT (namespace_id, memory_id, agent, question)
    DO UPDATE SET score = excluded.score, graded_at = excluded.graded_at

-- Of these memories those that were ever graded: the mean of their scores, in [-1, 1], and how many
-- these are. $1 namespace, $2 memories.
-- name: usefulness_of
SELECT memory_id AS id, avg(score) AS mean, count(*) AS count
FROM pinak.retrieval_feedback
WHERE namespace_id = $1 AND memory_id = ANY ($2::uuid[])
GROUP BY memory_id
