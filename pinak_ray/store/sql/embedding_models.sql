-- name: register
WITH added AS (
    INSERT INTO pinak.embedding_models (name, revision, dimension) VALUES ($1, $2, $3)
    ON CONFLICT ON CONSTRAINT embedding_models_key DO NOTHING
    RETURNING id
)
SELECT id FROM added
UNION ALL
SELECT id FROM pinak.embedding_models WHERE name = $1 AND revision = $2 AND dimension = $3
LIMIT 1
