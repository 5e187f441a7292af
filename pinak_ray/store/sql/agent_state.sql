-- Working items and entries, written only under the current epoch of their shard.

-- name: take_shards
INSERT INTO pinak.shards AS s (shard, host, epoch)
SELECT shard, $2, 1 FROM unnest($1::smallint[]) AS shard
ON CONFLICT (shard) DO UPDATE SET host = $2, epoch = s.epoch + 1, taken_at = now()
RETURNING shard, epoch

-- name: load_items
SELECT key, value, version, updated_at, expires_at, operation_id
FROM pinak.working_items
WHERE namespace_id = $1 AND agent = $2

-- name: load_entries
SELECT id, seq, kind, author, key, content, details, version, created_at, expires_at,
    operation_id
FROM pinak.entries
WHERE namespace_id = $1 AND space = $2 AND owner = $3

-- One statement is one transaction and one round trip. FOR SHARE makes the fence hold until commit:
-- a new host's take_shards waits for it, and after take_shards the old epoch matches no row.
-- name: commit
WITH fence AS (
    SELECT s.shard
    FROM pinak.shards AS s
    JOIN unnest($1::smallint[], $2::bigint[]) AS mine (shard, epoch)
        ON mine.shard = s.shard AND mine.epoch = s.epoch
    FOR SHARE OF s
), items AS (
    INSERT INTO pinak.working_items AS w
        (namespace_id, agent, key, value, version, updated_at, expires_at, operation_id)
    SELECT i.namespace_id, i.agent, i.key, i.value, i.version, i.updated_at, i.expires_at,
        i.operation_id
    FROM unnest($3::smallint[], $4::integer[], $5::text[], $6::text[], $7::jsonb[], $8::bigint[],
            $9::timestamptz[], $10::timestamptz[], $11::uuid[])
        AS i (shard, namespace_id, agent, key, value, version, updated_at, expires_at, operation_id)
    JOIN fence USING (shard)
    ON CONFLICT (namespace_id, agent, key) DO UPDATE SET
        value = excluded.value, version = excluded.version, updated_at = excluded.updated_at,
        expires_at = excluded.expires_at, operation_id = excluded.operation_id
), posts AS (
    INSERT INTO pinak.entries AS e
        (namespace_id, space, owner, id, seq, kind, author, key, content, details, version,
         created_at, expires_at, operation_id)
    SELECT p.namespace_id, p.space, p.owner, p.id, p.seq, p.kind, p.author, p.key, p.content,
        p.details, p.version, p.created_at, p.expires_at, p.operation_id
    FROM unnest($12::smallint[], $13::integer[], $14::text[], $15::text[], $16::uuid[],
            $17::bigint[], $18::text[], $19::text[], $20::text[], $21::text[], $22::jsonb[],
            $23::bigint[], $24::timestamptz[], $25::timestamptz[], $26::uuid[])
        AS p (shard, namespace_id, space, owner, id, seq, kind, author, key, content, details,
              version, created_at, expires_at, operation_id)
    JOIN fence USING (shard)
    ON CONFLICT (namespace_id, space, owner, id) DO UPDATE SET
        seq = excluded.seq, kind = excluded.kind, author = excluded.author,
        content = excluded.content, details = excluded.details, version = excluded.version,
        created_at = excluded.created_at, expires_at = excluded.expires_at,
        operation_id = excluded.operation_id
)
SELECT shard FROM fence
