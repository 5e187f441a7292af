-- The Indexer's queue, and what it keeps: vectors and term statistics.

-- name: take
SELECT id, namespace_ids, memory_ids
FROM pinak.index_queue
WHERE attempts < $2
ORDER BY id
LIMIT $1
FOR UPDATE SKIP LOCKED

-- name: texts
SELECT m.namespace_id, m.id, m.agent, m.session, m.content
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
WHERE NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = m.namespace_id AND v.model_id = $3 AND v.kind = 0 AND v.memory_id = m.id
)

-- Ordered by key, so that two Indexers cannot deadlock on the same terms.
-- name: count_terms
INSERT INTO pinak.term_stats AS t (namespace_id, term, documents)
SELECT m.namespace_id, lexeme, count(*)
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS lexeme
GROUP BY m.namespace_id, lexeme
ORDER BY m.namespace_id, lexeme
ON CONFLICT (namespace_id, term) DO UPDATE SET documents = t.documents + excluded.documents

-- name: count_documents
INSERT INTO pinak.corpus_stats AS c (namespace_id, documents, total_length)
SELECT m.namespace_id, count(*), sum(length(m.lexemes))
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories AS m USING (namespace_id, id)
GROUP BY m.namespace_id
ORDER BY m.namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    documents = c.documents + excluded.documents,
    total_length = c.total_length + excluded.total_length

-- name: done
DELETE FROM pinak.index_queue WHERE id = ANY ($1::bigint[])

-- name: blame
UPDATE pinak.index_queue SET attempts = attempts + 1 WHERE id = $1

-- name: owed
SELECT
    coalesce(sum(cardinality(memory_ids)) FILTER (WHERE attempts < $1), 0)::bigint AS memories,
    coalesce(sum(cardinality(memory_ids)) FILTER (WHERE attempts >= $1), 0)::bigint AS set_aside,
    coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float8 AS oldest_s
FROM pinak.index_queue

-- name: not_searchable
SELECT q.namespace_id, q.id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
WHERE NOT EXISTS (
    SELECT FROM pinak.memory_vectors AS v
    WHERE v.namespace_id = q.namespace_id AND v.model_id = $3 AND v.kind = 0 AND v.memory_id = q.id
)
