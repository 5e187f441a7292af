-- What was said around a memory of a session, written once when it has settled. A table of its own:
-- an update of `memories` would write the row and all its index entries again.
CREATE TABLE pinak.memory_windows (
    namespace_id integer NOT NULL,
    memory_id uuid NOT NULL,
    lexemes tsvector NOT NULL,
    CONSTRAINT memory_windows_pkey PRIMARY KEY (namespace_id, memory_id)
)
----
-- Without a pending list: nobody waits for these writes, and every search would read it.
CREATE INDEX memory_windows_terms ON pinak.memory_windows
    USING gin (lexemes, (ARRAY[namespace_id])) WITH (fastupdate = off)
----
CREATE TABLE pinak.window_stats (
    namespace_id integer NOT NULL,
    windows bigint NOT NULL,
    total_length bigint NOT NULL,
    CONSTRAINT window_stats_pkey PRIMARY KEY (namespace_id)
) WITH (fillfactor = 80)
----
-- Sessions with entries whose window is still to be written: those from `from_id` on.
CREATE TABLE pinak.settling_sessions (
    namespace_id integer NOT NULL,
    session text NOT NULL,
    from_id uuid NOT NULL,
    pending bigint NOT NULL,
    last_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT settling_sessions_pkey PRIMARY KEY (namespace_id, session)
) WITH (fillfactor = 50)
----
CREATE INDEX settling_sessions_by_time ON pinak.settling_sessions (last_at)
----
CREATE INDEX memories_by_session ON pinak.memories (namespace_id, session, id)
    WHERE session IS NOT NULL
----
GRANT SELECT ON pinak.memory_windows, pinak.window_stats TO pinak_app
----
DO $$
DECLARE
    walled text;
BEGIN
    FOREACH walled IN ARRAY ARRAY['memory_windows', 'window_stats'] LOOP
        EXECUTE format('ALTER TABLE pinak.%I ENABLE ROW LEVEL SECURITY', walled);
        EXECUTE format('ALTER TABLE pinak.%I FORCE ROW LEVEL SECURITY', walled);
        EXECUTE format(
            'CREATE POLICY own_namespace ON pinak.%I TO pinak_app '
            'USING (namespace_id = (SELECT current_setting(''pinak.namespace_id'')::integer))',
            walled);
        EXECUTE format(
            'CREATE POLICY service ON pinak.%I TO %I USING (true) WITH CHECK (true)',
            walled, current_user);
    END LOOP;
END $$
----
-- As query_terms, for windows: the same words with the same rarity, their own average length.
CREATE FUNCTION pinak.window_terms(query text)
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
    FROM pinak.query_terms(query) AS t
$$
----
-- The best windows, best first; see lexical_candidates. A window holds five times the words of its
-- memory and matches as many more queries, so the memory itself is only looked up for the best.
CREATE FUNCTION pinak.window_candidates(
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
    IF candidates < 1 THEN
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
                SELECT memory_id AS id, lexemes, %s AS k
                FROM memory_windows
                WHERE namespace_id = $1 AND ARRAY[namespace_id] @> ARRAY[$1]
                    AND lexemes @@ %L::tsquery
                    AND (num_nonnulls($3, $4, $5, $6, $7, $8, $9) = 0 OR memory_id IN (
                        SELECT f.id
                        FROM memories AS f
                        WHERE f.namespace_id = $1
                            AND ($3 IS NULL OR f.layer = ANY ($3))
                            AND ($4 IS NULL OR f.agent = ANY ($4))
                            AND ($5 IS NULL OR f.session = ANY ($5))
                            AND ($6 IS NULL OR f.tags @> $6)
                            AND ($7 IS NULL OR f.outcome = $7)
                            AND ($8 IS NULL OR f.occurred_at >= $8)
                            AND ($9 IS NULL OR f.occurred_at < $9)))
                OFFSET 0
            ) AS matching
            ORDER BY score DESC, id
            LIMIT 4 * $2
        ) AS best
        JOIN memories AS m ON m.namespace_id = $1 AND m.id = best.id
        WHERE m.superseded_by IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
        ORDER BY best.score DESC, best.id
        LIMIT $2
        $statement$, terms.score, terms.k, terms.matcher)
    USING current_setting('pinak.namespace_id')::integer, candidates,
        layers, agents, sessions, tags, outcome, since, until;
END $$
----
REVOKE ALL ON FUNCTION
    pinak.window_terms(text),
    pinak.window_candidates(
        text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
    FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION
    pinak.window_terms(text),
    pinak.window_candidates(
        text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
    TO pinak_app
----
-- Sessions that are there already get their windows from the next Indexer.
INSERT INTO pinak.settling_sessions (namespace_id, session, from_id, pending)
SELECT namespace_id, session, (array_agg(id ORDER BY id))[1], count(*)
FROM pinak.memories WHERE session IS NOT NULL
GROUP BY namespace_id, session
