-- When a memory was superseded; by what, `superseded_by` says.
ALTER TABLE pinak.memories ADD COLUMN IF NOT EXISTS superseded_at timestamptz
----
-- From a memory back to those that it superseded.
CREATE INDEX memories_superseded ON pinak.memories (namespace_id, superseded_by)
    WHERE superseded_by IS NOT NULL
----
-- "What do I know of this?" is asked by agents of themselves, in namespaces of any size.
CREATE INDEX memories_by_agent ON pinak.memories (namespace_id, agent, id)
----
-- The order in which vectors were stored: a segment is a range of it. A sequence, not a time: clocks
-- go back, and ids of idempotency keys have no order.
CREATE SEQUENCE pinak.vector_seq
----
ALTER TABLE pinak.memory_vectors
    ADD COLUMN seq bigint NOT NULL DEFAULT nextval('pinak.vector_seq')
----
ALTER SEQUENCE pinak.vector_seq OWNED BY pinak.memory_vectors.seq
----
-- Finds the tail: what no segment holds yet.
CREATE INDEX memory_vectors_by_seq ON pinak.memory_vectors (namespace_id, model_id, kind, seq)
----
-- A segment is a copy of the vectors first_seq <= seq < end_seq with an HNSW index, in a table of its
-- own, segment_<id>. It is derived: without it the same search is exact, and slower.
CREATE TABLE pinak.segments (
    namespace_id integer NOT NULL,
    model_id integer NOT NULL,
    kind smallint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    first_seq bigint NOT NULL,
    end_seq bigint NOT NULL,
    -- The transactions that were writing vectors when end_seq was chosen: they may still commit
    -- lower numbers, so a segment is copied once none of them is left.
    settles_after text[] NOT NULL,
    -- How many rows it holds; null until it is built.
    rows bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    checked_at timestamptz NOT NULL DEFAULT now(),
    -- When a larger one took its place: who is searching it now may still finish.
    replaced_at timestamptz,
    CONSTRAINT segments_pkey PRIMARY KEY (namespace_id, model_id, kind, id)
)
----
GRANT SELECT ON pinak.segments TO pinak_app
----
ALTER TABLE pinak.segments ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.segments FORCE ROW LEVEL SECURITY
----
CREATE POLICY own_namespace ON pinak.segments TO pinak_app
    USING (namespace_id = (SELECT current_setting('pinak.namespace_id')::integer))
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.segments TO %I USING (true) WITH CHECK (true)', current_user);
END $$
----
-- What a memory must be to answer; null: anything. `as_of` null: now.
CREATE TYPE pinak.filters AS (
    layers text[], agents text[], sessions text[],
    tags text[], any_tags text[], no_tags text[], entities text[],
    outcome text, since timestamptz, until timestamptz, as_of timestamptz
)
----
-- The one place that says which memories answer. The planner puts it in line, and folds away what
-- is null: what is left can use an index.
CREATE FUNCTION pinak.passes(m pinak.memories, f pinak.filters) RETURNS boolean
LANGUAGE sql STABLE
RETURN
    CASE WHEN f.as_of IS NULL
        THEN m.superseded_by IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
        ELSE m.created_at <= f.as_of
            AND (m.superseded_at IS NULL OR m.superseded_at > f.as_of)
            AND (m.expires_at IS NULL OR m.expires_at > f.as_of)
    END
    AND (f.layers IS NULL OR m.layer = ANY (f.layers))
    AND (f.agents IS NULL OR m.agent = ANY (f.agents))
    AND (f.sessions IS NULL OR m.session = ANY (f.sessions))
    AND (f.tags IS NULL OR m.tags @> f.tags)
    AND (f.any_tags IS NULL OR m.tags && f.any_tags)
    AND (f.no_tags IS NULL OR NOT m.tags && f.no_tags)
    AND (f.entities IS NULL OR m.entities @> f.entities)
    AND (f.outcome IS NULL OR m.outcome = f.outcome)
    AND (f.since IS NULL OR m.occurred_at >= f.since)
    AND (f.until IS NULL OR m.occurred_at < f.until)
----
-- Whether anything is asked of a memory but that it lives.
CREATE FUNCTION pinak.narrows(f pinak.filters) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN num_nonnulls(
    f.layers, f.agents, f.sessions, f.tags, f.any_tags, f.no_tags, f.entities, f.outcome,
    f.since, f.until, f.as_of) > 0
