-- How often that which a namespace's recalls may return has changed: the sum of n. A row is added by
-- each statement that changes something, and none is updated: writers of one namespace would wait
-- for each other on its row. A sum, not a greatest id: of two transactions the one with the lower
-- id may commit last, and hides behind the greater one.
CREATE TABLE pinak.generations (
    namespace_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    n bigint NOT NULL DEFAULT 1 CHECK (n > 0),
    -- True for a row that stands for several.
    folded boolean NOT NULL DEFAULT false,
    CONSTRAINT generations_pkey PRIMARY KEY (namespace_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
----
-- What is to be folded, however many namespaces there are.
CREATE INDEX generations_unfolded ON pinak.generations (id) WHERE NOT folded
----
-- Read by the service only, for the namespace that a caller's token or handle names.
ALTER TABLE pinak.generations ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.generations FORCE ROW LEVEL SECURITY
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.generations TO %I USING (true) WITH CHECK (true)',
        current_user);
END $$
----
CREATE FUNCTION pinak.raise_generations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pinak.generations (namespace_id) SELECT DISTINCT namespace_id FROM changed;
    RETURN NULL;
END $$
----
-- In the database, not in the writers: no path that changes an answer can forget to say so. Term
-- statistics change together with corpus_stats, which has one row for thousands of theirs.
DO $$
DECLARE
    answering text;
BEGIN
    FOREACH answering IN ARRAY ARRAY[
        'memories', 'memory_vectors', 'memory_windows', 'corpus_stats'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER %s_raise_generations_on_insert AFTER INSERT ON pinak.%1$I '
            'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT '
            'EXECUTE FUNCTION pinak.raise_generations()', answering);
        EXECUTE format(
            'CREATE TRIGGER %s_raise_generations_on_update AFTER UPDATE ON pinak.%1$I '
            'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT '
            'EXECUTE FUNCTION pinak.raise_generations()', answering);
        EXECUTE format(
            'CREATE TRIGGER %s_raise_generations_on_delete AFTER DELETE ON pinak.%1$I '
            'REFERENCING OLD TABLE AS changed FOR EACH STATEMENT '
            'EXECUTE FUNCTION pinak.raise_generations()', answering);
    END LOOP;
END $$
