-- Working items and entries, written only under the current epoch of their shard.

-- name: take_shards
INSERT INTO pinak.shards AS s (shard, host, epoch)
SELECT shard, $2, 1 FROM unnest($1::smallint[]) AS shard
ON CONFLICT (shard) DO UPDATE SET host = $2, epoch = s.epoch + 1, taken_at = now()
RETURNING shard, epoch

-- name: load_placement
SELECT version, hosts, dedicated FROM pinak.placement

-- name: store_placement
INSERT INTO pinak.placement AS p (version, hosts, dedicated) VALUES ($1, $2, $3)
ON CONFLICT (one) DO UPDATE SET
    version = excluded.version, hosts = excluded.hosts, dedicated = excluded.dedicated,
    changed_at = now()
WHERE p.version < excluded.version

-- name: load_items
SELECT o.number, w.key, w.value, w.version, w.updated_at, w.expires_at, w.operation_id,
    w.spent_keys
FROM unnest($1::integer[], $2::text[]) WITH ORDINALITY AS o (namespace_id, agent, number)
JOIN pinak.working_items AS w USING (namespace_id, agent)

-- name: load_entries
SELECT o.number, e.id, e.seq, e.kind, e.author, e.key, e.content, e.details, e.version,
    e.created_at, e.expires_at, e.operation_id, e.spent_keys
FROM unnest($1::integer[], $2::text[], $3::text[])
    WITH ORDINALITY AS o (namespace_id, space, owner, number)
JOIN pinak.entries AS e USING (namespace_id, space, owner)

-- name: receipts
SELECT receipts FROM pinak.batch_receipts WHERE lane = $1 AND batch = $2

-- One statement is one transaction and one round trip. FOR SHARE makes the fence hold until commit:
-- a new host's take_shards waits for it, and after take_shards the old epoch matches no row. One
-- stale shard refuses the whole batch: receipts must not tell of changes that were left out.
-- name: commit
WITH fence AS (
    SELECT s.shard
    FROM pinak.shards AS s
    JOIN unnest($1::smallint[], $2::bigint[]) AS mine (shard, epoch)
        ON mine.shard = s.shard AND mine.epoch = s.epoch
    FOR SHARE OF s
), holds AS MATERIALIZED (
    SELECT FROM fence HAVING count(*) = cardinality($1)
), items AS (
    INSERT INTO pinak.working_items AS w
        (namespace_id, agent, key, value, version, updated_at, expires_at, operation_id, spent_keys)
    SELECT i.*
    FROM unnest($3::integer[], $4::text[], $5::text[], $6::jsonb[], $7::bigint[],
            $8::timestamptz[], $9::timestamptz[], $10::uuid[], $11::bytea[]) AS i
    WHERE EXISTS (SELECT FROM holds)
    ON CONFLICT (namespace_id, agent, key) DO UPDATE SET
        value = excluded.value, version = excluded.version, updated_at = excluded.updated_at,
        expires_at = excluded.expires_at, operation_id = excluded.operation_id,
        spent_keys = excluded.spent_keys
), posts AS (
    INSERT INTO pinak.entries AS e
        (namespace_id, space, owner, id, seq, kind, author, key, content, details, version,
         created_at, expires_at, operation_id, spent_keys)
    SELECT p.*
    FROM unnest($12::integer[], $13::text[], $14::text[], $15::uuid[], $16::bigint[], $17::text[],
            $18::text[], $19::text[], $20::text[], $21::jsonb[], $22::bigint[], $23::timestamptz[],
            $24::timestamptz[], $25::uuid[], $26::bytea[]) AS p
    WHERE EXISTS (SELECT FROM holds)
    ON CONFLICT (namespace_id, space, owner, id) DO UPDATE SET
        seq = excluded.seq, kind = excluded.kind, author = excluded.author, key = excluded.key,
        content = excluded.content, details = excluded.details, version = excluded.version,
        created_at = excluded.created_at, expires_at = excluded.expires_at,
        operation_id = excluded.operation_id, spent_keys = excluded.spent_keys
), answered AS (
    INSERT INTO pinak.batch_receipts AS b (host, lane, batch, receipts)
    SELECT $27::text, r.lane, r.batch, r.receipts
    FROM unnest($28::uuid[], $29::bigint[], $30::bytea[]) AS r (lane, batch, receipts)
    WHERE EXISTS (SELECT FROM holds)
    ON CONFLICT (lane, host) DO UPDATE SET
        batch = excluded.batch, committed_at = now(),
        -- A batch may be committed in pieces.
        receipts = CASE WHEN b.batch = excluded.batch THEN b.receipts ELSE '' END
            || excluded.receipts
    WHERE b.batch <= excluded.batch
)
SELECT shard FROM fence
