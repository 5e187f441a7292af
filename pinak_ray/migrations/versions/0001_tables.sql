-- Every primary key leads with namespace_id: isolation, locality, and a ready distribution column.
-- No foreign key points at namespaces: its check would lock that one row for every memory written.
CREATE EXTENSION IF NOT EXISTS vector
----
CREATE TABLE pinak.namespaces (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    project text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT namespaces_key UNIQUE (tenant, project)
)
----
CREATE TABLE pinak.memories (
    namespace_id integer NOT NULL,
    id uuid NOT NULL,
    agent text NOT NULL,
    layer text NOT NULL CHECK (layer IN ('semantic', 'episodic', 'procedural', 'reference')),
    content text NOT NULL,
    session text,
    details jsonb NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    entities text[] NOT NULL DEFAULT '{}',
    outcome text CHECK (outcome IN ('success', 'failure', 'partial', 'unknown')),
    salience real NOT NULL DEFAULT 0.5 CHECK (salience BETWEEN 0 AND 1),
    occurred_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    superseded_by uuid,
    source text,
    content_hash bytea NOT NULL,
    -- In a session several speakers alternate, so who said it is part of the text.
    lexemes tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('english'::regconfig,
            CASE WHEN session IS NULL THEN content ELSE agent || ': ' || content END)
    ) STORED,
    CONSTRAINT memories_pkey PRIMARY KEY (namespace_id, id)
)
----
-- One GIN: it serves each column alone, and a write pays one pending list, not four. The namespace
-- is among its keys (as an array: GIN has no integers without an extension), so that a small
-- namespace beside a huge one walks its own postings only (20 ms -> 5.8 ms for 10k beside 200k).
CREATE INDEX memories_terms ON pinak.memories
    USING gin (lexemes, tags, entities, (ARRAY[namespace_id]))
    WITH (fastupdate = on, gin_pending_list_limit = 4096)
----
CREATE INDEX memories_by_time ON pinak.memories (namespace_id, occurred_at)
----
CREATE INDEX memories_expiring ON pinak.memories (expires_at) WHERE expires_at IS NOT NULL
----
-- Few failures, asked before every risky action.
CREATE INDEX memories_failures ON pinak.memories (namespace_id, id) WHERE outcome = 'failure'
----
CREATE TABLE pinak.embedding_models (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    revision text NOT NULL,
    dimension integer NOT NULL CHECK (dimension BETWEEN 1 AND 4000),
    metric text NOT NULL DEFAULT 'cosine' CHECK (metric IN ('cosine')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT embedding_models_key UNIQUE (name, revision, dimension)
)
----
-- One partition per model (made when the model is registered, with its dimension as a check).
-- kind: 0 = the memory's own text, 1 = the window around it.
CREATE TABLE pinak.memory_vectors (
    namespace_id integer NOT NULL,
    model_id integer NOT NULL,
    kind smallint NOT NULL DEFAULT 0,
    memory_id uuid NOT NULL,
    embedding halfvec NOT NULL,
    CONSTRAINT memory_vectors_pkey PRIMARY KEY (namespace_id, model_id, kind, memory_id)
) PARTITION BY LIST (model_id)
----
CREATE TABLE pinak.term_stats (
    namespace_id integer NOT NULL,
    term text NOT NULL,
    documents bigint NOT NULL,
    CONSTRAINT term_stats_pkey PRIMARY KEY (namespace_id, term)
) WITH (fillfactor = 80)
----
CREATE TABLE pinak.corpus_stats (
    namespace_id integer NOT NULL,
    documents bigint NOT NULL,
    total_length bigint NOT NULL,
    CONSTRAINT corpus_stats_pkey PRIMARY KEY (namespace_id)
) WITH (fillfactor = 80)
----
-- What the Indexer still owes: one row per committed batch, not per memory.
CREATE TABLE pinak.index_queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace_ids integer[] NOT NULL,
    memory_ids uuid[] NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    queued_at timestamptz NOT NULL DEFAULT now()
)
----
CREATE FUNCTION pinak.queue_for_indexing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pinak.index_queue (namespace_ids, memory_ids)
    SELECT array_agg(namespace_id), array_agg(id) FROM new_rows HAVING count(*) > 0;
    RETURN NULL;
END $$
----
-- In the database, not in the Writer: no path that stores a memory can forget to index it.
CREATE TRIGGER memories_queue_for_indexing AFTER INSERT ON pinak.memories
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pinak.queue_for_indexing()
----
CREATE TABLE pinak.shards (
    shard smallint PRIMARY KEY,
    host text NOT NULL,
    epoch bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50)
----
CREATE TABLE pinak.working_items (
    namespace_id integer NOT NULL,
    agent text NOT NULL,
    key text NOT NULL,
    value jsonb NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    operation_id uuid NOT NULL,
    CONSTRAINT working_items_pkey PRIMARY KEY (namespace_id, agent, key)
) WITH (fillfactor = 80)
----
CREATE INDEX working_items_expiring ON pinak.working_items (expires_at) WHERE expires_at IS NOT NULL
----
-- Entries of boards and scratchpads; seq rises with each change of their owner.
CREATE TABLE pinak.entries (
    namespace_id integer NOT NULL,
    space text NOT NULL CHECK (space IN ('agent', 'board')),
    owner text NOT NULL,
    id uuid NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    author text NOT NULL,
    key text,
    content text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    operation_id uuid NOT NULL,
    CONSTRAINT entries_pkey PRIMARY KEY (namespace_id, space, owner, id)
) WITH (fillfactor = 80)
----
CREATE UNIQUE INDEX entries_by_seq ON pinak.entries (namespace_id, space, owner, seq)
----
CREATE INDEX entries_expiring ON pinak.entries (expires_at) WHERE expires_at IS NOT NULL
----
-- Public halves only; a private key never leaves its 0600 file.
CREATE TABLE pinak.signing_keys (
    kid text PRIMARY KEY,
    algorithm text NOT NULL CHECK (algorithm IN ('EdDSA')),
    public_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
)
