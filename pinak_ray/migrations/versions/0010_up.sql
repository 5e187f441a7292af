-- How often recalls and nudges returned a memory, and when last. A table of its own: a count kept in
-- `memories` would write a wide row and all its index entries again, and raise the generation that
-- the cache of recall lives by.
CREATE TABLE pinak.memory_access (
    namespace_id integer NOT NULL,
    memory_id uuid NOT NULL,
    accesses bigint NOT NULL CHECK (accesses > 0),
    last_accessed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT memory_access_pkey PRIMARY KEY (namespace_id, memory_id),
    CONSTRAINT memory_access_memory FOREIGN KEY (namespace_id, memory_id)
        REFERENCES pinak.memories (namespace_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70)
----
-- Memories that the Curator deleted, whole. No foreign key: what they were is gone.
CREATE TABLE pinak.memory_archive (
    namespace_id integer NOT NULL,
    memory_id uuid NOT NULL,
    memory jsonb NOT NULL,
    -- Those that agents made; similar ones are found again.
    links jsonb NOT NULL,
    accesses bigint NOT NULL,
    reason text NOT NULL CHECK (reason IN ('weak')),
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT memory_archive_pkey PRIMARY KEY (namespace_id, memory_id)
)
----
CREATE INDEX memory_archive_by_time ON pinak.memory_archive (namespace_id, archived_at)
----
-- Where the Curator stands in a namespace: behind which ids its sweeps go on, and what it last did.
CREATE TABLE pinak.curations (
    namespace_id integer NOT NULL,
    forget_after uuid NOT NULL,
    merge_after uuid NOT NULL,
    report jsonb NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT curations_pkey PRIMARY KEY (namespace_id)
)
----
GRANT SELECT ON pinak.memory_access, pinak.memory_archive, pinak.curations TO pinak_app
----
DO $$
DECLARE
    walled text;
BEGIN
    FOREACH walled IN ARRAY ARRAY['memory_access', 'memory_archive', 'curations'] LOOP
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
