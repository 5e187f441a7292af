-- A row is of one namespace and holds 32 memories at most, so that no tenant's bulk stands before
-- another's memory. `urgent`: failures, which nudges warn of. `due_at`: not to be taken before; while
-- an Indexer embeds, it lies in the future.
ALTER TABLE pinak.index_queue
    ADD COLUMN namespace_id integer,
    ADD COLUMN urgent boolean NOT NULL DEFAULT false,
    ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN error text
----
CREATE OR REPLACE FUNCTION pinak.queue_for_indexing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pinak.forgotten) AND EXISTS (
        SELECT FROM new_rows AS n
        JOIN pinak.forgotten AS f ON f.namespace_id = n.namespace_id AND f.memory_id = n.id)
    THEN
        RAISE unique_violation USING MESSAGE = 'a memory of this id was forgotten a moment ago';
    END IF;
    INSERT INTO pinak.index_queue (namespace_id, namespace_ids, memory_ids, urgent)
    SELECT namespace_id, array_agg(namespace_id), array_agg(id), urgent
    FROM (
        SELECT namespace_id, id, urgent,
            (row_number() OVER (PARTITION BY namespace_id, urgent) - 1) / 32 AS piece
        FROM (SELECT namespace_id, id, outcome IS NOT DISTINCT FROM 'failure' AS urgent
              FROM new_rows) AS stored
    ) AS numbered
    GROUP BY namespace_id, urgent, piece;
    RETURN NULL;
END $$
----
-- What waits, and what an older version set aside: nobody is blamed any more.
WITH waiting AS (
    DELETE FROM pinak.index_queue RETURNING *
), numbered AS (
    SELECT k.namespace_id, k.id, q.queued_at, coalesce(m.outcome = 'failure', false) AS urgent,
        (row_number() OVER (
            PARTITION BY k.namespace_id, coalesce(m.outcome = 'failure', false) ORDER BY q.id) - 1
        ) / 32 AS piece
    FROM waiting AS q
    CROSS JOIN LATERAL unnest(q.namespace_ids, q.memory_ids) AS k (namespace_id, id)
    LEFT JOIN pinak.memories AS m ON m.namespace_id = k.namespace_id AND m.id = k.id
)
INSERT INTO pinak.index_queue (namespace_id, namespace_ids, memory_ids, urgent, queued_at)
SELECT namespace_id, array_agg(namespace_id), array_agg(id), urgent, min(queued_at)
FROM numbered
GROUP BY namespace_id, urgent, piece
ORDER BY min(queued_at), piece
----
ALTER TABLE pinak.index_queue ALTER COLUMN namespace_id SET NOT NULL
----
CREATE INDEX index_queue_in_turn ON pinak.index_queue (urgent, namespace_id, queued_at, id)
----
-- A row with attempts holds one memory, whose text the model refused.
ALTER TABLE pinak.backfill_queue
    ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN error text
----
UPDATE pinak.backfill_queue SET attempts = 0
----
DROP INDEX pinak.backfill_queue_by_model
----
CREATE INDEX backfill_queue_by_model ON pinak.backfill_queue (model_id, due_at, id)
----
CREATE INDEX backfill_queue_refused ON pinak.backfill_queue ((memory_ids[1])) WHERE attempts > 0
