-- One row a link. The foreign keys cost a write of a memory nothing (they are asked when a link comes
-- and when a memory goes), and no path that removes a memory can leave a link to nowhere.
CREATE TABLE pinak.memory_links (
    namespace_id integer NOT NULL,
    from_id uuid NOT NULL,
    to_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN (
        'similar', 'caused_by', 'fixes', 'supports', 'contradicts', 'follows', 'refers_to',
        'derived_from', 'answers')),
    strength double precision NOT NULL CHECK (strength > 0 AND strength <= 1),
    -- Null: the Indexer found it.
    author text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT memory_links_pkey PRIMARY KEY (namespace_id, from_id, to_id, kind),
    CONSTRAINT memory_links_from FOREIGN KEY (namespace_id, from_id)
        REFERENCES pinak.memories (namespace_id, id) ON DELETE CASCADE,
    CONSTRAINT memory_links_to FOREIGN KEY (namespace_id, to_id)
        REFERENCES pinak.memories (namespace_id, id) ON DELETE CASCADE,
    CHECK (from_id <> to_id)
)
----
-- The way back. With the strength: of a memory that thousands are like, only the strongest are read.
CREATE INDEX memory_links_back ON pinak.memory_links (namespace_id, to_id, strength DESC)
----
-- Memories that have their vector, and wait to be linked to what is similar: one row for each
-- transaction of the Indexer.
CREATE TABLE pinak.link_queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace_ids integer[] NOT NULL,
    memory_ids uuid[] NOT NULL
)
----
GRANT SELECT ON pinak.memory_links TO pinak_app
----
ALTER TABLE pinak.memory_links ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.memory_links FORCE ROW LEVEL SECURITY
----
CREATE POLICY own_namespace ON pinak.memory_links TO pinak_app
    USING (namespace_id = (SELECT current_setting('pinak.namespace_id')::integer))
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.memory_links TO %I USING (true) WITH CHECK (true)',
        current_user);
END $$
----
-- What is there already is linked by the next Indexer.
INSERT INTO pinak.link_queue (namespace_ids, memory_ids)
SELECT array_agg(namespace_id), array_agg(id)
FROM (
    SELECT namespace_id, id, row_number() OVER (ORDER BY namespace_id, id) / 128 AS batch
    FROM pinak.memories
) AS numbered
GROUP BY batch
ORDER BY batch
