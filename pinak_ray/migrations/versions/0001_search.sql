-- BM25 (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.75) over tsvectors.
--
-- A document's length is length(lexemes), its count of distinct lexemes: PostgreSQL has it ready.
-- A term's frequency is read back from ts_rank, whose value for a single term with equal weights is
-- H(tf) / (pi^2/6) with H(n) = 1 + 1/4 + ... + 1/n^2 (tsrank.c, calc_rank_or). Since
-- pi^2/6 - H(n) lies between 1/(n+1) and 1/n, about 1/(n + 1/2), the frequency is
-- 1 / (pi^2/6 * (1 - rank)) - 1/2, rounded. One C call instead of unnesting every lexeme.
CREATE FUNCTION pinak.query_terms(query text)
RETURNS TABLE (matcher tsquery, idf double precision, average_length double precision)
LANGUAGE sql STABLE
AS $$
    SELECT
        quote_literal(lexeme)::tsquery,
        ln(1 + (coalesce(c.documents, 0) - coalesce(t.documents, 0) + 0.5)
             / (coalesce(t.documents, 0) + 0.5)),
        greatest(coalesce(c.total_length, 0)::float8 / greatest(c.documents, 1), 1)
    FROM unnest(tsvector_to_array(to_tsvector('english', query))) AS lexeme
    LEFT JOIN pinak.corpus_stats AS c
        ON c.namespace_id = current_setting('pinak.namespace_id')::integer
    LEFT JOIN pinak.term_stats AS t
        ON t.namespace_id = current_setting('pinak.namespace_id')::integer AND t.term = lexeme
$$
----
-- SECURITY DEFINER, because under row-level security `@@`, which is not leakproof, may not use the
-- GIN index. The namespace comes from the session alone, never from an argument, and only ids and
-- scores leave; the rows themselves are read under the caller's policies.
CREATE FUNCTION pinak.lexical_candidates(
    query text, candidates integer,
    layers text[], agents text[], sessions text[], tags text[],
    outcome text, since timestamptz, until timestamptz
) RETURNS TABLE (id uuid, score double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pinak, public, pg_temp
AS $$
    WITH terms AS MATERIALIZED (SELECT * FROM query_terms(query))
    SELECT
        m.id,
        (SELECT sum(t.idf * f.tf * 2.2
                    / (f.tf + 1.2 * (0.25 + 0.75 * length(m.lexemes) / t.average_length)))
         FROM terms AS t
         CROSS JOIN LATERAL (
             SELECT ts_rank('{1,1,1,1}', m.lexemes, t.matcher)::float8 AS rank OFFSET 0
         ) AS r
         CROSS JOIN LATERAL (
             SELECT round(1 / (1.6449340668482264 * (1 - r.rank)) - 0.5) AS tf
         ) AS f
         WHERE r.rank > 0) AS score
    FROM memories AS m
    WHERE m.namespace_id = current_setting('pinak.namespace_id')::integer
        AND m.lexemes @@ (SELECT string_agg(matcher::text, ' | ')::tsquery FROM terms)
        AND m.superseded_by IS NULL
        AND (m.expires_at IS NULL OR m.expires_at > now())
        AND ($3 IS NULL OR m.layer = ANY ($3))
        AND ($4 IS NULL OR m.agent = ANY ($4))
        AND ($5 IS NULL OR m.session = ANY ($5))
        AND ($6 IS NULL OR m.tags @> $6)
        AND ($7 IS NULL OR m.outcome = $7)
        AND ($8 IS NULL OR m.occurred_at >= $8)
        AND ($9 IS NULL OR m.occurred_at < $9)
    ORDER BY score DESC, m.id
    LIMIT candidates
$$
----
-- The same score for given memories, under the caller's own policies; 0 where no term occurs.
CREATE FUNCTION pinak.lexical_scores(query text, ids uuid[])
RETURNS TABLE (id uuid, score double precision)
LANGUAGE sql STABLE
AS $$
    WITH terms AS MATERIALIZED (SELECT * FROM pinak.query_terms(query))
    SELECT
        m.id,
        coalesce((
         SELECT sum(t.idf * f.tf * 2.2
                    / (f.tf + 1.2 * (0.25 + 0.75 * length(m.lexemes) / t.average_length)))
         FROM terms AS t
         CROSS JOIN LATERAL (
             SELECT ts_rank('{1,1,1,1}', m.lexemes, t.matcher)::float8 AS rank OFFSET 0
         ) AS r
         CROSS JOIN LATERAL (
             SELECT round(1 / (1.6449340668482264 * (1 - r.rank)) - 0.5) AS tf
         ) AS f
         WHERE r.rank > 0), 0)
    FROM pinak.memories AS m
    WHERE m.namespace_id = current_setting('pinak.namespace_id')::integer AND m.id = ANY (ids)
$$
