-- How to load the model, without secrets. A model that has it is kept: new memories get its vectors.
ALTER TABLE pinak.embedding_models ADD COLUMN spec jsonb
----
CREATE TABLE pinak.serving_model (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    model_id integer NOT NULL REFERENCES pinak.embedding_models (id),
    previous_id integer REFERENCES pinak.embedding_models (id) ON DELETE SET NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
)
----
-- Where the sweep for what a model lacks stands: behind this key of this kind of vectors.
CREATE TABLE pinak.backfills (
    model_id integer PRIMARY KEY REFERENCES pinak.embedding_models (id) ON DELETE CASCADE,
    kind smallint NOT NULL DEFAULT 0,
    after_namespace integer NOT NULL DEFAULT 0,
    after_memory uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- Transactions older than this may not know of the model: the sweep waits for their end.
    starts_after bigint,
    embedded bigint NOT NULL DEFAULT 0,
    error text,
    began_at timestamptz NOT NULL DEFAULT now(),
    swept_at timestamptz
)
----
-- What the kept models still owe; the serving one has index_queue.
CREATE TABLE pinak.backfill_queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id integer NOT NULL REFERENCES pinak.embedding_models (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    namespace_ids integer[] NOT NULL,
    memory_ids uuid[] NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    queued_at timestamptz NOT NULL DEFAULT now()
)
----
CREATE INDEX backfill_queue_by_model ON pinak.backfill_queue (model_id, id)
----
-- A sample of what was asked: one query a slot, so that a namespace keeps a bounded number.
CREATE TABLE pinak.recorded_queries (
    namespace_id integer NOT NULL,
    slot smallint NOT NULL,
    query text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recorded_queries_pkey PRIMARY KEY (namespace_id, slot)
)
----
CREATE INDEX recorded_queries_by_time ON pinak.recorded_queries (recorded_at)
----
-- Written and read by the service only: no reader has a use for what others asked.
ALTER TABLE pinak.recorded_queries ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.recorded_queries FORCE ROW LEVEL SECURITY
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.recorded_queries TO %I USING (true) WITH CHECK (true)',
        current_user);
END $$
