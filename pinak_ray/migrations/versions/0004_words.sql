-- In a large namespace most matches of a query are by its common words, which tell least: what is
-- scored is chosen by the rarest words, as many as match `most` documents together. The score itself
-- still counts all words. `spread`: in how many documents an occurrence counts (5 for windows).
--
-- The rarest word is always taken. Where it alone matches more than that, a match must have further
-- words beside it, the rarest first, until few enough are expected; words are taken as independent.
DROP FUNCTION pinak.lexical_candidates(
    text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
----
DROP FUNCTION pinak.window_candidates(
    text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
----
-- Four milliseconds a recall, where there are no sessions.
CREATE FUNCTION pinak.has_windows() RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM pinak.window_stats
    WHERE namespace_id = current_setting('pinak.namespace_id')::integer AND windows > 0)
----
CREATE FUNCTION pinak.selective_matcher(query text, most float8, spread float8)
RETURNS tsquery
LANGUAGE sql STABLE
AS $$
    WITH terms AS (
        SELECT
            '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' AS word,
            least(spread * coalesce(t.documents, 0), c.documents) AS matches,
            greatest(c.documents, 1) AS documents,
            row_number() OVER (ORDER BY coalesce(t.documents, 0), lexeme) AS place
        FROM unnest(tsvector_to_array(to_tsvector('english', query))) AS lexeme
        LEFT JOIN pinak.corpus_stats AS c
            ON c.namespace_id = current_setting('pinak.namespace_id')::integer
        LEFT JOIN pinak.term_stats AS t
            ON t.namespace_id = current_setting('pinak.namespace_id')::integer AND t.term = lexeme
    ), counted AS (
        SELECT word, place, matches,
            sum(matches) OVER (ORDER BY place) AS together,
            documents * exp(sum(ln(greatest(matches, 0.5) / documents)) OVER (
                ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS expected_before
        FROM terms
        WHERE place <= 32
    )
    SELECT CASE
        WHEN bool_and(matches IS NULL) OR min(matches) <= most
            THEN string_agg(word, ' | ') FILTER (WHERE coalesce(together, 0) <= most OR place = 1)
        ELSE string_agg(word, ' & ') FILTER (WHERE place = 1 OR expected_before > most)
    END::tsquery
    FROM counted
$$
----
-- The best matches, best first. SECURITY DEFINER, because under row-level security `@@`, which is
-- not leakproof, may not use the GIN index. The namespace comes from the session alone, never from
-- an argument, and only ids and scores leave; the rows are read under the caller's policies.
--
-- ARRAY[namespace_id] is a key of the GIN index: it walks the namespace's postings and the words'
-- side by side and skips what is in one only (10k rows beside 200k others: 6 ms; 20 without).
-- The generic plan is that of query_terms, 1 ms less a call; EXECUTE always plans afresh.
--
-- The rarest words that match `most` documents together choose what is scored.
CREATE FUNCTION pinak.lexical_candidates(
    query text, candidates integer, f pinak.filters, most double precision DEFAULT 5000
)
RETURNS TABLE (id uuid, score double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pinak, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
BEGIN
    IF candidates < 1 THEN
        RETURN;
    END IF;
    SELECT * INTO terms FROM query_terms(query);
    IF terms.matcher IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($statement$
        SELECT id, %s AS score
        FROM (
            SELECT m.id, m.lexemes, %s AS k
            FROM memories AS m
            WHERE m.namespace_id = %s AND ARRAY[m.namespace_id] @> ARRAY[%3$s]
                AND m.lexemes @@ %L::tsquery AND passes(m, $2)
            OFFSET 0
        ) AS matching
        ORDER BY score DESC, id
        LIMIT $1
        $statement$, terms.score, terms.k, current_setting('pinak.namespace_id')::integer,
        selective_matcher(query, most, 1))
    USING candidates, f;
END $$
----
-- The best windows, best first; see lexical_candidates. A window holds five times the words of its
-- memory and matches as many more queries, so the memory itself is only looked up for the best.
CREATE FUNCTION pinak.window_candidates(query text, candidates integer, f pinak.filters)
RETURNS TABLE (id uuid, score double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pinak, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
    filtered boolean := pinak.narrows(f);
BEGIN
    IF candidates < 1 OR NOT has_windows() THEN
        RETURN;
    END IF;
    SELECT * INTO terms FROM window_terms(query);
    IF terms.matcher IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($statement$
        SELECT best.id, best.score
        FROM (
            SELECT id, %s AS score
            FROM (
                SELECT w.memory_id AS id, w.lexemes, %s AS k
                FROM memory_windows AS w
                WHERE w.namespace_id = %s AND ARRAY[w.namespace_id] @> ARRAY[%3$s]
                    AND w.lexemes @@ %L::tsquery
                    %s
                OFFSET 0
            ) AS matching
            ORDER BY score DESC, id
            LIMIT 4 * $1
        ) AS best
        JOIN memories AS m ON m.namespace_id = %3$s AND m.id = best.id
        WHERE passes(m, $2)
        ORDER BY best.score DESC, best.id
        LIMIT $1
        $statement$, terms.score, terms.k, current_setting('pinak.namespace_id')::integer,
        selective_matcher(query, 5000, 5),
        CASE WHEN filtered THEN format(
            'AND w.memory_id IN (SELECT a.id FROM memories AS a'
            ' WHERE a.namespace_id = %s AND passes(a, $2))',
            current_setting('pinak.namespace_id')::integer) END)
    USING candidates, f;
END $$
----
-- Both scores of given memories, under the caller's own policies: of their own words (null where none
-- of the query's is among them), and of their window's (0 there; null without a window). In one pass,
-- for each is read once, and the words are looked up once.
CREATE FUNCTION pinak.text_scores(query text, ids uuid[], own boolean, windows boolean)
RETURNS TABLE (id uuid, own_score double precision, window_score double precision)
LANGUAGE plpgsql STABLE ROWS 100
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
    around record;
BEGIN
    SELECT * INTO terms FROM pinak.query_terms(query);
    IF terms.matcher IS NULL OR NOT (own OR windows) THEN
        RETURN;
    END IF;
    IF NOT windows OR NOT pinak.has_windows() THEN
        RETURN QUERY EXECUTE format($statement$
            SELECT id, CASE WHEN lexemes @@ %L::tsquery THEN %s END, NULL::float8
            FROM (
                SELECT id, lexemes, %s AS k
                FROM pinak.memories
                WHERE namespace_id = %s AND id = ANY ($1)
                OFFSET 0
            ) AS given
            $statement$, terms.matcher, terms.score, terms.k,
            current_setting('pinak.namespace_id')::integer)
        USING ids;
        RETURN;
    END IF;
    SELECT * INTO around FROM pinak.window_terms(query);
    RETURN QUERY EXECUTE format($statement$
        SELECT given.id, CASE WHEN %5$s AND lexemes @@ %1$L::tsquery THEN %2$s END, said.score
        FROM (
            SELECT id, session, lexemes, %3$s AS k
            FROM pinak.memories
            WHERE namespace_id = %4$s AND id = ANY ($1)
            OFFSET 0
        ) AS given
        LEFT JOIN LATERAL (
            SELECT CASE WHEN lexemes @@ %1$L::tsquery THEN %2$s ELSE 0 END AS score
            FROM (
                SELECT lexemes, %6$s AS k
                FROM pinak.memory_windows
                WHERE namespace_id = %4$s AND memory_id = given.id AND given.session IS NOT NULL
                OFFSET 0
            ) AS around
        ) AS said ON true
        $statement$, terms.matcher, terms.score, terms.k,
        current_setting('pinak.namespace_id')::integer, own::text, around.k)
    USING ids;
END $$
----
-- Memories that say these words in this order, newest first; SECURITY DEFINER as above. Words that
-- are no terms ("to be or not to be") leave nothing to look up by: then every memory is read.
CREATE FUNCTION pinak.phrase_candidates(query text, candidates integer, f pinak.filters)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pinak, public, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format($statement$
        SELECT m.id
        FROM memories AS m
        WHERE m.namespace_id = %s AND passes(m, $2) %s
            AND strpos(lower(regexp_replace(m.content, '\s+', ' ', 'g')), $3) > 0
        ORDER BY m.occurred_at DESC, m.id DESC
        LIMIT $1
        $statement$, current_setting('pinak.namespace_id')::integer,
        CASE WHEN numnode(phraseto_tsquery('english', query)) > 0 THEN format(
            'AND ARRAY[m.namespace_id] @> ARRAY[%s] AND m.lexemes @@ %L::tsquery',
            current_setting('pinak.namespace_id')::integer, phraseto_tsquery('english', query)) END)
    USING candidates, f, lower(btrim(regexp_replace(query, '\s+', ' ', 'g')));
END $$
----
REVOKE ALL ON FUNCTION
    pinak.has_windows(),
    pinak.selective_matcher(text, float8, float8),
    pinak.lexical_candidates(text, integer, pinak.filters, float8),
    pinak.window_candidates(text, integer, pinak.filters),
    pinak.phrase_candidates(text, integer, pinak.filters),
    pinak.text_scores(text, uuid[], boolean, boolean),
    pinak.passes(pinak.memories, pinak.filters),
    pinak.narrows(pinak.filters)
    FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION
    pinak.has_windows(),
    pinak.lexical_candidates(text, integer, pinak.filters, float8),
    pinak.window_candidates(text, integer, pinak.filters),
    pinak.phrase_candidates(text, integer, pinak.filters),
    pinak.text_scores(text, uuid[], boolean, boolean),
    pinak.passes(pinak.memories, pinak.filters),
    pinak.narrows(pinak.filters)
    TO pinak_app
