-- Readers run as pinak_app, which owns nothing and cannot bypass row-level security. A session
-- without a namespace sees nothing: an empty setting does not cast to an integer.
DO $$
BEGIN
    -- Who may not make roles is refused even one that exists.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'pinak_app') THEN
        RETURN;
    END IF;
    CREATE ROLE pinak_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
----
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'pinak_app', 'SET') THEN
        EXECUTE format('GRANT pinak_app TO %I', current_user);
    END IF;
END $$
----
GRANT USAGE ON SCHEMA pinak TO pinak_app
----
GRANT SELECT ON
    pinak.namespaces, pinak.memories, pinak.memory_vectors, pinak.embedding_models,
    pinak.term_stats, pinak.corpus_stats, pinak.working_items, pinak.entries
    TO pinak_app
----
DO $$
DECLARE
    walled text;
BEGIN
    FOREACH walled IN ARRAY ARRAY[
        'memories', 'memory_vectors', 'term_stats', 'corpus_stats', 'working_items', 'entries'
    ] LOOP
        EXECUTE format('ALTER TABLE pinak.%I ENABLE ROW LEVEL SECURITY', walled);
        EXECUTE format('ALTER TABLE pinak.%I FORCE ROW LEVEL SECURITY', walled);
        EXECUTE format(
            'CREATE POLICY own_namespace ON pinak.%I TO pinak_app '
            'USING (namespace_id = (SELECT current_setting(''pinak.namespace_id'')::integer))',
            walled);
        -- The owner (writers, indexers, hosts) serves all namespaces; FORCE would shut it out too.
        EXECUTE format(
            'CREATE POLICY service ON pinak.%I TO %I USING (true) WITH CHECK (true)',
            walled, current_user);
    END LOOP;
END $$
----
ALTER TABLE pinak.namespaces ENABLE ROW LEVEL SECURITY
----
CREATE POLICY own_namespace ON pinak.namespaces TO pinak_app
    USING (id = (SELECT current_setting('pinak.namespace_id')::integer))
----
REVOKE ALL ON FUNCTION
    pinak.query_terms(text),
    pinak.lexical_scores(text, uuid[]),
    pinak.lexical_candidates(
        text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
    FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION
    pinak.query_terms(text),
    pinak.lexical_scores(text, uuid[]),
    pinak.lexical_candidates(
        text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
    TO pinak_app
