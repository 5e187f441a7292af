-- The terms of a text are made by the program, by one analyser for all that is stored and asked (see
-- docs/decisions/0049): rows bring theirs, and questions come as terms.
ALTER TABLE pinak.memories ALTER COLUMN lexemes DROP EXPRESSION
----
ALTER TABLE pinak.memories ALTER COLUMN lexemes SET DEFAULT ''
----
-- By which analysis the lexemes were made; 0: by none of ours. The rows of before are analysed anew in the
-- background, and found by what they have until then.
ALTER TABLE pinak.memories ADD COLUMN analysis integer NOT NULL DEFAULT 0
----
CREATE INDEX memories_to_analyse ON pinak.memories (namespace_id, id) WHERE analysis < 1
----
ALTER TABLE pinak.memory_windows ADD COLUMN analysis integer NOT NULL DEFAULT 0
----
CREATE INDEX memory_windows_to_analyse ON pinak.memory_windows (namespace_id, memory_id)
    WHERE analysis < 1
----
DROP FUNCTION pinak.text_scores(text, uuid[], boolean, boolean)
----
DROP FUNCTION pinak.lexical_candidates(text, integer, pinak.filters, float8)
----
DROP FUNCTION pinak.window_candidates(text, integer, pinak.filters)
----
DROP FUNCTION pinak.phrase_candidates(text, integer, pinak.filters)
----
DROP FUNCTION pinak.selective_matcher(text, float8, float8)
----
DROP FUNCTION pinak.lexical_scores(text, uuid[])
----
DROP FUNCTION pinak.window_terms(text)
----
DROP FUNCTION pinak.query_terms(text)
----
DROP FUNCTION pinak.memories_saying(text[], bytea[])
----
-- BM25 (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.4) over tsvectors, of these terms.
--
-- A document's length is length(lexemes), its count of distinct lexemes: PostgreSQL has it ready.
-- A term's frequency is read back from ts_rank, whose value for a single term with equal weights is
-- H(tf) / (pi^2/6) with H(n) = 1 + 1/4 + ... + 1/n^2 (tsrank.c, calc_rank_or). Since
-- pi^2/6 - H(n) lies between 1/(n+1) and 1/n, about 1/(n + 1/2), the frequency is
-- 1 / (pi^2/6 * (1 - rank)) - 1/2, rounded: exact up to the 255 positions that a tsvector keeps; without
-- positions it is 1. One C call instead of unnesting every lexeme.
--
-- With k = k1 * (1 - b + b * length / average length), a term adds idf * (k1 + 1) * tf / (tf + k),
-- which is 2.2 * (idf - k * idf / (tf + k)): each frequency is needed once, so that the whole sum is
-- one flat expression (a row costs a third of what it costs with a subquery per term). It is built
-- as text with its numbers in place: the planner then knows the words and how common they are.
--
-- Statistics may lag behind the memories: an unknown term counts as found nowhere (the rarest), and
-- without any statistics every document counts as average. At most the 32 rarest words are asked
-- for: a long text's other words are common ones that cost more than they tell.
CREATE FUNCTION pinak.query_terms(asked text[])
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
        FROM (SELECT DISTINCT lexeme FROM unnest(asked) AS lexeme) AS each
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
-- As query_terms, for windows: the same words with the same rarity, their own average length.
CREATE FUNCTION pinak.window_terms(asked text[])
RETURNS TABLE (matcher tsquery, k text, score text)
LANGUAGE sql STABLE
AS $$
    SELECT t.matcher,
        coalesce(
            (SELECT format('(0.72::float8 + %s::float8 * length(lexemes))',
                           0.48 / greatest(s.total_length / nullif(s.windows, 0)::float8, 1))
             FROM pinak.window_stats AS s
             WHERE s.namespace_id = current_setting('pinak.namespace_id')::integer
                AND s.windows > 0),
            '1.2::float8'),
        t.score
    FROM pinak.query_terms(asked) AS t
$$
----
-- In a large namespace most matches of a query are by its common words, which tell least: what is
-- scored is chosen by the rarest words, as many as match `most` documents together. The score itself
-- still counts all words. `spread`: in how many documents an occurrence counts (5 for windows).
--
-- The rarest word is always taken. Where it alone matches more than that, a match must have further
-- words beside it, the rarest first, until few enough are expected; words are taken as independent.
CREATE FUNCTION pinak.selective_matcher(asked text[], most float8, spread float8)
RETURNS tsquery
LANGUAGE sql STABLE
AS $$
    WITH terms AS (
        SELECT
            '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' AS word,
            least(spread * coalesce(t.documents, 0), c.documents) AS matches,
            greatest(c.documents, 1) AS documents,
            row_number() OVER (ORDER BY coalesce(t.documents, 0), lexeme) AS place
        FROM (SELECT DISTINCT lexeme FROM unnest(asked) AS lexeme) AS each
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
-- Fewer than `wanted` are filled up, behind the others, with what has any of the words: where rare words
-- narrow the search, or common ones must stand together, a word more would take hits away. Of these too
-- `most` are scored.
CREATE FUNCTION pinak.lexical_candidates(
    asked text[], candidates integer, f pinak.filters, most double precision DEFAULT 5000,
    wanted integer DEFAULT 0
)
RETURNS TABLE (id uuid, score double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pinak, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
    narrow tsquery;
    had bigint;
    statement CONSTANT text := $statement$
        SELECT id, %s AS score
        FROM (
            SELECT m.id, m.lexemes, %s AS k
            FROM memories AS m
            WHERE m.namespace_id = %s AND ARRAY[m.namespace_id] @> ARRAY[%3$s]
                AND m.lexemes @@ %L::tsquery AND passes(m, $2)
                %s
            OFFSET 0
        ) AS matching
        ORDER BY score DESC, id
        LIMIT $1
        $statement$;
BEGIN
    IF candidates < 1 THEN
        RETURN;
    END IF;
    SELECT * INTO terms FROM query_terms(asked);
    IF terms.matcher IS NULL THEN
        RETURN;
    END IF;
    narrow := selective_matcher(asked, most, 1);
    RETURN QUERY EXECUTE format(
        statement, terms.score, terms.k, current_setting('pinak.namespace_id')::integer, narrow, '')
    USING candidates, f;
    GET DIAGNOSTICS had = ROW_COUNT;
    IF had < wanted AND narrow::text <> terms.matcher::text THEN
        RETURN QUERY EXECUTE format(
            statement, terms.score, terms.k, current_setting('pinak.namespace_id')::integer,
            terms.matcher,
            format('AND NOT m.lexemes @@ %L::tsquery LIMIT %s', narrow,
                greatest(ceil(most), candidates)))
        USING candidates - had, f;
    END IF;
END $$
----
-- The same score for given memories, under the caller's own policies; no row where no term occurs.
CREATE FUNCTION pinak.lexical_scores(asked text[], ids uuid[])
RETURNS TABLE (id uuid, score double precision)
LANGUAGE plpgsql STABLE ROWS 100
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
BEGIN
    SELECT * INTO terms FROM pinak.query_terms(asked);
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
----
-- The best windows, best first; see lexical_candidates. A window holds five times the words of its
-- memory and matches as many more queries, so the memory itself is only looked up for the best.
CREATE FUNCTION pinak.window_candidates(asked text[], candidates integer, f pinak.filters)
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
    SELECT * INTO terms FROM window_terms(asked);
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
        selective_matcher(asked, 5000, 5),
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
CREATE FUNCTION pinak.text_scores(asked text[], ids uuid[], own boolean, windows boolean)
RETURNS TABLE (id uuid, own_score double precision, window_score double precision)
LANGUAGE plpgsql STABLE ROWS 100
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    terms record;
    around record;
BEGIN
    SELECT * INTO terms FROM pinak.query_terms(asked);
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
    SELECT * INTO around FROM pinak.window_terms(asked);
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
-- A text as `exact` compares it: one width, one case, any white space a blank. See the function of this
-- name in pinak_ray/language/analysis/folding.py.
CREATE FUNCTION pinak.literal(said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT btrim(regexp_replace(
        CASE WHEN octet_length(said) = length(said) THEN lower(said)
        ELSE replace(replace(replace(lower(translate(normalize(
                regexp_replace(said, '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+', '', 'g'), NFKC),
                '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹߀߁߂߃߄߅߆߇߈߉०१२३४५६७८९০১২৩৪৫৬৭৮৯੦੧੨੩੪੫੬੭੮੯૦૧૨૩૪૫૬૭૮૯'
                || '୦୧୨୩୪୫୬୭୮୯௦௧௨௩௪௫௬௭௮௯౦౧౨౩౪౫౬౭౮౯೦೧೨೩೪೫೬೭೮೯൦൧൨൩൪൫൬൭൮൯෦෧෨෩෪෫෬෭෮෯๐๑๒๓๔๕๖๗๘๙'
                || '໐໑໒໓໔໕໖໗໘໙༠༡༢༣༤༥༦༧༨༩၀၁၂၃၄၅၆၇၈၉႐႑႒႓႔႕႖႗႘႙០១២៣៤៥៦៧៨៩᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙᥆᥇᥈᥉᥊᥋᥌᥍᥎᥏'
                || '᧐᧑᧒᧓᧔᧕᧖᧗᧘᧙᪀᪁᪂᪃᪄᪅᪆᪇᪈᪉᪐᪑᪒᪓᪔᪕᪖᪗᪘᪙᭐᭑᭒᭓᭔᭕᭖᭗᭘᭙᮰᮱᮲᮳᮴᮵᮶᮷᮸᮹᱀᱁᱂᱃᱄᱅᱆᱇᱈᱉᱐᱑᱒᱓᱔᱕᱖᱗᱘᱙'
                || '꘠꘡꘢꘣꘤꘥꘦꘧꘨꘩꣐꣑꣒꣓꣔꣕꣖꣗꣘꣙꤀꤁꤂꤃꤄꤅꤆꤇꤈꤉꧐꧑꧒꧓꧔꧕꧖꧗꧘꧙꧰꧱꧲꧳꧴꧵꧶꧷꧸꧹꩐꩑꩒꩓꩔꩕꩖꩗꩘꩙꯰꯱꯲꯳꯴꯵꯶꯷꯸꯹',
                repeat('0123456789', 35))),
            'ς', 'σ'), 'ß', 'ss'), U&'i\0307', 'i')
        END, '\s+', ' ', 'g'))
$$
----
-- Memories that say this literally, newest first; SECURITY DEFINER as above. What a text that says it has
-- of terms narrows the search; words that are no terms ("to be or not to be") leave nothing to look up by:
-- then every memory is read.
CREATE FUNCTION pinak.phrase_candidates(
    said text, needed tsquery, candidates integer, f pinak.filters
)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pinak, public, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format($statement$
        SELECT m.id
        FROM memories AS m
        WHERE m.namespace_id = %s AND passes(m, $2) %s
            AND strpos(literal(m.content), $3) > 0
        ORDER BY m.occurred_at DESC, m.id DESC
        LIMIT $1
        $statement$, current_setting('pinak.namespace_id')::integer,
        CASE WHEN needed IS NOT NULL THEN format(
            'AND ARRAY[m.namespace_id] @> ARRAY[%s] AND m.lexemes @@ %L::tsquery',
            current_setting('pinak.namespace_id')::integer, needed) END)
    USING candidates, f, literal(said);
END $$
----
-- Of each content the oldest living memory that says exactly it. SECURITY DEFINER as the other searches
-- by words: `@@` is not leakproof, so under row-level security it could not use the index; the namespace
-- comes from the session only. An index on the hash would cost every write; a few long words are rare
-- enough to look up by. A content without any word is not looked for, nor one that is not analysed yet.
CREATE FUNCTION pinak.memories_saying(needed tsquery[], hashes bytea[])
RETURNS TABLE (place integer, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pinak, public, pg_temp
AS $$
DECLARE
    own integer := current_setting('pinak.namespace_id')::integer;
BEGIN
    FOR n IN 1 .. cardinality(needed) LOOP
        CONTINUE WHEN needed[n] IS NULL;
        RETURN QUERY EXECUTE format($statement$
            SELECT $1, m.id
            FROM memories AS m
            WHERE m.namespace_id = %1$s AND ARRAY[m.namespace_id] @> ARRAY[%1$s]
                AND m.lexemes @@ %2$L::tsquery AND m.content_hash = $2
                AND m.superseded_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
            ORDER BY m.created_at, m.id
            LIMIT 1
            $statement$, own, needed[n])
        USING n, hashes[n];
    END LOOP;
END $$
----
REVOKE ALL ON FUNCTION
    pinak.query_terms(text[]),
    pinak.window_terms(text[]),
    pinak.selective_matcher(text[], float8, float8),
    pinak.lexical_candidates(text[], integer, pinak.filters, float8, integer),
    pinak.lexical_scores(text[], uuid[]),
    pinak.window_candidates(text[], integer, pinak.filters),
    pinak.text_scores(text[], uuid[], boolean, boolean),
    pinak.phrase_candidates(text, tsquery, integer, pinak.filters),
    pinak.memories_saying(tsquery[], bytea[])
    FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION
    pinak.query_terms(text[]),
    pinak.window_terms(text[]),
    pinak.lexical_candidates(text[], integer, pinak.filters, float8, integer),
    pinak.lexical_scores(text[], uuid[]),
    pinak.window_candidates(text[], integer, pinak.filters),
    pinak.text_scores(text[], uuid[], boolean, boolean),
    pinak.phrase_candidates(text, tsquery, integer, pinak.filters),
    pinak.memories_saying(tsquery[], bytea[])
    TO pinak_app
