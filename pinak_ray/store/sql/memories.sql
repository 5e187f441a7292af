-- Writing and reading memories.

-- name: make_staging
CREATE TEMP TABLE IF NOT EXISTS staged_memories (
    namespace_id integer, id uuid, agent text, layer text, content text, session text, details jsonb,
    tags text[], entities text[], outcome text, salience real, occurred_at timestamptz,
    created_at timestamptz, expires_at timestamptz, source text, content_hash bytea
) ON COMMIT DELETE ROWS

-- name: insert_staged
INSERT INTO pinak.memories (
    namespace_id, id, agent, layer, content, session, details, tags, entities, outcome, salience,
    occurred_at, created_at, expires_at, source, content_hash)
SELECT
    namespace_id, id, agent, layer, content, session, details, tags, entities, outcome, salience,
    occurred_at, created_at, expires_at, source, content_hash
FROM staged_memories
ON CONFLICT (namespace_id, id) DO NOTHING
RETURNING namespace_id, id

-- name: make_staged_vectors
CREATE TEMP TABLE IF NOT EXISTS staged_vectors (
    namespace_id integer, model_id integer, kind smallint, memory_id uuid, embedding halfvec
) ON COMMIT DELETE ROWS

-- name: insert_staged_vectors
INSERT INTO pinak.memory_vectors (namespace_id, model_id, kind, memory_id, embedding)
SELECT namespace_id, model_id, kind, memory_id, embedding FROM staged_vectors

-- name: must_stage
SELECT row_security_active('pinak.memory_vectors')

-- name: stored
SELECT namespace_id, id
FROM unnest($1::integer[], $2::uuid[]) AS q (namespace_id, id)
JOIN pinak.memories USING (namespace_id, id)
