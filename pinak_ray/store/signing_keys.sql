-- The public halves of the signing keys; the private ones never reach the database.

-- name: publish
INSERT INTO pinak.signing_keys (kid, algorithm, public_key)
SELECT kid, 'EdDSA', pem FROM unnest($1::text[], $2::text[]) AS key (kid, pem)
ON CONFLICT (kid) DO NOTHING

-- name: live
SELECT public_key, retired_at
FROM pinak.signing_keys
WHERE retired_at IS NULL OR retired_at + $1::interval > now()
ORDER BY created_at, kid

-- name: retire
UPDATE pinak.signing_keys SET retired_at = now() WHERE kid = ANY ($1::text[]) AND retired_at IS NULL

-- name: withdraw
DELETE FROM pinak.signing_keys WHERE kid = ANY ($1::text[])
