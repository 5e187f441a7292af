-- A caller's idempotency key: the one id that it has for an agent, and 16 bytes that tell what was said
-- under it. A column, not a table: a key ends with what it stands for. Null where no key was given.
ALTER TABLE pinak.memories ADD COLUMN write_key uuid, ADD COLUMN says bytea
----
-- Until now the id of a keyed memory was made from its key (version 8), and what it said is not known.
UPDATE pinak.memories SET write_key = id
WHERE substr(id::text, 15, 1) = '8' AND (expires_at IS NULL OR expires_at > now())
----
CREATE UNIQUE INDEX memories_by_write_key ON pinak.memories (namespace_id, write_key)
    WHERE write_key IS NOT NULL
----
-- What was forgotten a short while ago, by its id alone: a late retry of the call that stored it must
-- not bring it back.
CREATE TABLE pinak.forgotten (
    namespace_id integer NOT NULL,
    memory_id uuid NOT NULL,
    forgotten_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT forgotten_pkey PRIMARY KEY (namespace_id, memory_id)
)
----
CREATE INDEX forgotten_by_time ON pinak.forgotten (forgotten_at)
----
-- Read by the service only.
ALTER TABLE pinak.forgotten ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.forgotten FORCE ROW LEVEL SECURITY
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.forgotten TO %I USING (true) WITH CHECK (true)',
        current_user);
END $$
----
-- In the database, as the queue itself: no path that stores a memory can bring back a forgotten one. It
-- is refused like an id that is there, so that a COPY takes the detour that tells new rows from old.
CREATE OR REPLACE FUNCTION pinak.queue_for_indexing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pinak.forgotten) AND EXISTS (
        SELECT FROM new_rows AS n
        JOIN pinak.forgotten AS f ON f.namespace_id = n.namespace_id AND f.memory_id = n.id)
    THEN
        RAISE unique_violation USING MESSAGE = 'a memory of this id was forgotten a moment ago';
    END IF;
    INSERT INTO pinak.index_queue (namespace_ids, memory_ids)
    SELECT array_agg(namespace_id), array_agg(id) FROM new_rows HAVING count(*) > 0;
    RETURN NULL;
END $$
----
-- The keys spent on an item or an entry, the newest last: id, digest and version of each.
ALTER TABLE pinak.working_items ADD COLUMN spent_keys bytea
----
ALTER TABLE pinak.entries ADD COLUMN spent_keys bytea
