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
