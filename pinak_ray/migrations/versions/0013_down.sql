ALTER TABLE pinak.entries DROP COLUMN spent_keys
----
ALTER TABLE pinak.working_items DROP COLUMN spent_keys
----
CREATE OR REPLACE FUNCTION pinak.queue_for_indexing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pinak.index_queue (namespace_ids, memory_ids)
    SELECT array_agg(namespace_id), array_agg(id) FROM new_rows HAVING count(*) > 0;
    RETURN NULL;
END $$
----
DROP TABLE pinak.forgotten
----
ALTER TABLE pinak.memories DROP COLUMN write_key, DROP COLUMN says
