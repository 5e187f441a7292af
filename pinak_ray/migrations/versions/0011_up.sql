-- What came of each run that used a thought template (a memory): one row a run, however often it is
-- told. `run` is the caller's name for it; the trajectory that a template was distilled from is one.
CREATE TABLE pinak.template_outcomes (
    namespace_id integer NOT NULL,
    template_id uuid NOT NULL,
    run text NOT NULL,
    agent text NOT NULL,
    success boolean NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT template_outcomes_pkey PRIMARY KEY (namespace_id, template_id, run),
    CONSTRAINT template_outcomes_memory FOREIGN KEY (namespace_id, template_id)
        REFERENCES pinak.memories (namespace_id, id) ON DELETE CASCADE
)
----
GRANT SELECT ON pinak.template_outcomes TO pinak_app
----
ALTER TABLE pinak.template_outcomes ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.template_outcomes FORCE ROW LEVEL SECURITY
----
CREATE POLICY own_namespace ON pinak.template_outcomes TO pinak_app
    USING (namespace_id = (SELECT current_setting('pinak.namespace_id')::integer))
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.template_outcomes TO %I USING (true) WITH CHECK (true)',
        current_user);
END $$
----
-- Of each content the oldest living memory that says exactly it. SECURITY DEFINER as the other searches
-- by words: `@@` is not leakproof, so under row-level security it could not use the index; the namespace
-- comes from the session only. An index on the hash would cost every write; eight long words are rare
-- enough to look up by. A content without any word is not looked for.
CREATE FUNCTION pinak.memories_saying(contents text[], hashes bytea[])
RETURNS TABLE (place integer, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pinak, public, pg_temp
AS $$
DECLARE
    own integer := current_setting('pinak.namespace_id')::integer;
    words tsquery;
BEGIN
    FOR n IN 1 .. cardinality(contents) LOOP
        SELECT string_agg(
            '''' || replace(replace(word, '\', '\\'), '''', '''''') || '''', ' & ')::tsquery
        INTO words
        FROM (
            SELECT word FROM unnest(tsvector_to_array(to_tsvector('english', contents[n]))) AS word
            ORDER BY length(word) DESC, word
            LIMIT 8
        ) AS longest;
        CONTINUE WHEN words IS NULL;
        RETURN QUERY EXECUTE format($statement$
            SELECT $1, m.id
            FROM memories AS m
            WHERE m.namespace_id = %1$s AND ARRAY[m.namespace_id] @> ARRAY[%1$s]
                AND m.lexemes @@ %2$L::tsquery AND m.content_hash = $2
                AND m.superseded_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
            ORDER BY m.created_at, m.id
            LIMIT 1
            $statement$, own, words)
        USING n, hashes[n];
    END LOOP;
END $$
----
REVOKE ALL ON FUNCTION pinak.memories_saying(text[], bytea[]) FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION pinak.memories_saying(text[], bytea[]) TO pinak_app
