-- What a grade is made of: the words of a text with their rarity, and memories beside a question.

-- Each word of a text by its lexeme, as it stands there first, with its IDF in this namespace; the
-- rarest ones. Of "dry-run" the parts count, not the whole. $1 namespace, $2 the text, $3 how many.
-- name: terms
SELECT w.lexeme, w.word,
    ln(1 + (greatest(coalesce(c.documents, 0) - coalesce(t.documents, 0), 0) + 0.5::float8)
         / (coalesce(t.documents, 0) + 0.5::float8)) AS idf
FROM (
    SELECT lexeme, (array_agg(lower(d.token) ORDER BY d.ordinality))[1] AS word
    FROM ts_debug('english', $2)
        WITH ORDINALITY AS d (alias, description, token, dictionaries, dictionary, lexemes, ordinality)
    CROSS JOIN unnest(d.lexemes) AS lexeme
    WHERE d.alias NOT IN ('asciihword', 'hword', 'numhword')
    GROUP BY lexeme
) AS w
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
