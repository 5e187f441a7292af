-- name: find
SELECT id FROM pinak.namespaces WHERE tenant = $1 AND project = $2

-- name: add
INSERT INTO pinak.namespaces (tenant, project) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT namespaces_key DO NOTHING

-- name: name
SELECT tenant || '/' || project FROM pinak.namespaces WHERE id = $1
