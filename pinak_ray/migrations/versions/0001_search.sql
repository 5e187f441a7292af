-- BM25 (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.4) over tsvectors.
--
-- A document's length is length(lexemes), its count of distinct lexemes: PostgreSQL has it ready.
-- A term's frequency is read back from ts_rank, whose value for a single term with equal weights is
-- H(tf) / (pi^2/6) with H(n) = 1 + 1/4 + ... + 1/n^2 (tsrank.c, calc_rank_or). Since
-- pi^2/6 - H(n) lies between 1/(n+1) and 1/n, about 1/(n + 1/2), the frequency is
-- 1 / (pi^2/6 * (1 - rank)) - 1/2, rounded: exact up to the 255 positions that a tsvector keeps.
-- One C call instead of unnesting every lexeme.
--
-- With k = k1 * (1 - b + b * length / average length), a term adds idf * (k1 + 1) * tf / (tf + k),
-- which is 2.2 * (idf - k * idf / (tf + k)): each frequency is needed once, so that the whole sum is
-- one flat expression (a row costs a third of what it costs with a subquery per term). It is built
-- as text with its numbers in place: the planner then knows the words and how common they are.
--
-- Statistics may lag behind the memories: an unknown term counts as found nowhere (the rarest), and
-- without any statistics every document counts as average. At most the 32 rarest words are asked
-- for: a long text's other words are common ones that cost more than they tell.
CREATE FUNCTION pinak.query_terms(query text)
RETURNS TABLE (matcher tsquery, k text, score text)
LANGUAGE sql STABLE
AS $$
    WITH corpus AS (
        SELECT documents, total_length / nullif(documents, 0)::float8 AS average_length
        FROM pinak.corpus_stats
        WHERE namespace_id = current_setting('pinak.namespace_id')::integer
    ), terms AS (
        SELECT
            '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' AS word,
            ln(1 + (greatest(coalesce(c.documents, 0) - coalesce(t.documents, 0), 0) + 0.5::float8)
                 / (coalesce(t.documents, 0) + 0.5::float8)) AS idf
        FROM unnest(tsvector_to_array(to_tsvector('english', query))) AS lexeme
        LEFT JOIN corpus AS c ON true
        LEFT JOIN pinak.term_stats AS t
            ON t.namespace_id = current_setting('pinak.namespace_id')::integer AND t.term = lexeme
        ORDER BY idf DESC, lexeme
        LIMIT 32
    )
    SELECT
        string_agg(word, ' | ')::tsquery,
        coalesce(
            (SELECT format('(0.72::float8 + %s::float8 * length(lexemes))',
                           0.48 / greatest(average_length, 1))
             FROM corpus WHERE average_length IS NOT NULL),
            '1.2::float8'),
        format('2.2 * (%s::float8 - k * (%s))', sum(idf), string_agg(
            format('%s::float8 / (round(1 / (1.6449340668482264::float8'
                   ' * (1 - ts_rank(''{1,1,1,1}'', lexemes, %L))) - 0.5) + k)', idf, word), ' + '))
    FROM terms
    HAVING count(*) > 0
$$
----
-- The best matches, best first. SECURITY DEFINER, because under row-level security `@@`, which is
-- not leakproof, may not use the GIN index. The namespace comes from the session alone, never from
-- an argument, and only ids and scores leave; the rows are read under the caller's policies.
--
-- ARRAY[namespace_id] is a key of the GIN index: it walks the namespace's postings and the words'
-- side by side and skips what is in one only (10k rows beside 200k others: 6 ms; 20 without).
-- The generic plan is that of query_terms, 1 ms less a call; EXECUTE always plans afresh.
CREATE FUNCTION pinak.lexical_candidates(
    query text, candidates integer,
    layers text[], agents text[], sessions text[], tags text[],
    outcome text, since timestamptz, until timestamptz
) RETURNS TABLE (id uuid, score double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pinak, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
BEGIN
    SELECT * INTO terms FROM query_terms(query);
    IF terms.matcher IS NULL OR candidates < 1 THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($statement$
        SELECT id, %s AS score
        FROM (
            SELECT id, lexemes, %s AS k
            FROM memories
            WHERE namespace_id = $1 AND ARRAY[namespace_id] @> ARRAY[$1]
                AND lexemes @@ %L::tsquery
                AND superseded_by IS NULL
                AND (expires_at IS NULL OR expires_at > now())
                AND ($3 IS NULL OR layer = ANY ($3))
                AND ($4 IS NULL OR agent = ANY ($4))
                AND ($5 IS NULL OR session = ANY ($5))
                AND ($6 IS NULL OR tags @> $6)
                AND ($7 IS NULL OR outcome = $7)
                AND ($8 IS NULL OR occurred_at >= $8)
                AND ($9 IS NULL OR occurred_at < $9)
            OFFSET 0
        ) AS matching
        ORDER BY score DESC, id
        LIMIT $2
        $statement$, terms.score, terms.k, terms.matcher)
    USING current_setting('pinak.namespace_id')::integer, candidates,
        layers, agents, sessions, tags, outcome, since, until;
END $$
----
-- The same score for given memories, under the caller's own policies; no row where no term occurs.
CREATE FUNCTION pinak.lexical_scores(query text, ids uuid[])
RETURNS TABLE (id uuid, score double precision)
LANGUAGE plpgsql STABLE ROWS 100
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
BEGIN
    SELECT * INTO terms FROM pinak.query_terms(query);
    IF terms.matcher IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($statement$
        SELECT id, %s
        FROM (
            SELECT id, lexemes, %s AS k
            FROM pinak.memories
            WHERE namespace_id = $1 AND id = ANY ($2)
            OFFSET 0
        ) AS given
        WHERE lexemes @@ %L::tsquery
        $statement$, terms.score, terms.k, terms.matcher)
    USING current_setting('pinak.namespace_id')::integer, ids;
END $$
