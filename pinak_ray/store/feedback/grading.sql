-- What a grade is made of: the words of a text with their rarity, and memories beside a question.

-- The rarest of these lexemes, with their IDF in this namespace. $1 namespace, $2 the lexemes, $3 how many.
-- name: terms
SELECT w.lexeme,
    ln(1 + (greatest(coalesce(c.documents, 0) - coalesce(t.documents, 0), 0) + 0.5::float8)
         / (coalesce(t.documents, 0) + 0.5::float8)) AS idf
FROM unnest($2::text[]) AS w (lexeme)
LEFT JOIN pinak.corpus_stats AS c ON c.namespace_id = $1
LEFT JOIN pinak.term_stats AS t ON t.namespace_id = $1 AND t.term = w.lexeme
ORDER BY idf DESC, w.lexeme
LIMIT $3

-- The memories of these ids, but for forgotten ones; `terms` are those of $5 that one has. What is
-- not embedded yet has no similarity. $1 namespace, $2 model, $3 ids, $4 the question's vector.
-- name: memories
SELECT m.id, m.content, m.occurred_at, m.created_at, m.superseded_by,
    coalesce(m.expires_at <= now(), false) AS expired,
    1 - (v.embedding <=> $4::halfvec) AS similarity,
    ARRAY(SELECT unnest(tsvector_to_array(m.lexemes)) INTERSECT SELECT unnest($5::text[])) AS terms
FROM pinak.memories AS m
LEFT JOIN LATERAL (
    SELECT embedding FROM pinak.memory_vectors
    WHERE namespace_id = $1 AND model_id = $2 AND kind = 0 AND memory_id = m.id
    OFFSET 0
) AS v ON true
WHERE m.namespace_id = $1 AND m.id = ANY ($3::uuid[])
    AND m.expires_at IS DISTINCT FROM '-infinity'
