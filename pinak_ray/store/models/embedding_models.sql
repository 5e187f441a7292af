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

-- Null where it was loaded so before.
-- name: describe
UPDATE pinak.embedding_models SET spec = $2 WHERE id = $1 AND spec IS DISTINCT FROM $2::jsonb
RETURNING id

-- name: kept
SELECT id, name, revision, dimension, spec FROM pinak.embedding_models
WHERE spec IS NOT NULL
ORDER BY id

-- name: serving
SELECT m.id, m.name, m.revision, m.dimension, m.spec
FROM pinak.serving_model AS s JOIN pinak.embedding_models AS m ON m.id = s.model_id

-- name: serving_ids
SELECT model_id, previous_id FROM pinak.serving_model

-- name: lock_serving
SELECT model_id FROM pinak.serving_model FOR UPDATE

-- name: serve_first
INSERT INTO pinak.serving_model (model_id) VALUES ($1) ON CONFLICT (one) DO NOTHING

-- name: switch
UPDATE pinak.serving_model SET previous_id = model_id, model_id = $1, changed_at = now()
WHERE model_id <> $1
RETURNING model_id

-- name: roll_back
UPDATE pinak.serving_model SET model_id = previous_id, previous_id = model_id, changed_at = now()
WHERE previous_id IS NOT NULL
RETURNING model_id

-- Nobody embeds for it any more, nor can it be rolled back to.
-- name: retire
WITH retired AS (
    UPDATE pinak.embedding_models SET spec = NULL WHERE id = $1
)
UPDATE pinak.serving_model SET previous_id = NULL WHERE previous_id = $1

-- Null where it is no partition any more.
-- name: is_leaving
SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass($1)

-- name: forget
DELETE FROM pinak.embedding_models WHERE id = $1
