DROP INDEX pinak.backfill_queue_refused
----
DROP INDEX pinak.backfill_queue_by_model
----
UPDATE pinak.backfill_queue SET attempts = 0
----
ALTER TABLE pinak.backfill_queue DROP COLUMN due_at, DROP COLUMN error
----
CREATE INDEX backfill_queue_by_model ON pinak.backfill_queue (model_id, id)
----
DROP INDEX pinak.index_queue_in_turn
----
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
ALTER TABLE pinak.index_queue
    DROP COLUMN namespace_id, DROP COLUMN urgent, DROP COLUMN due_at, DROP COLUMN error
