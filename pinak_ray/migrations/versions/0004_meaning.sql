-- Loads pgvector's library: before that its settings are unknown, and only a superuser may name them.
SELECT '[1]'::halfvec
----
-- The statement that finds the `wanted` ($2) vectors nearest to $1 whose memories pass $3 and are
-- none of $4, in the session's namespace. Text, so that its numbers are the planner's, and so that a
-- test can EXPLAIN it. `how`:
--   exact     every vector; of the 4 * wanted nearest those that pass. Joining first would read
--             every memory's row to drop almost none, and a heap of the nearest costs 4 ms less than
--             sorting 10k distances.
--   filtered  every vector whose memory passes.
--   segments  each segment's index, walked until `wanted` pass (hnsw.iterative_scan), and the tail
--             behind the last segment as `exact` does.
-- Where the caller has compared what is numbered from `first` on and below `since`, and that is where
-- the tail begins, its findings ($5 ids, $6 distances) stand for that part of it.
CREATE FUNCTION pinak.nearest_statement(
    model integer, kind smallint, how text,
    first bigint DEFAULT NULL, since bigint DEFAULT NULL
) RETURNS text
LANGUAGE sql STABLE
AS $$
    WITH here AS (
        SELECT current_setting('pinak.namespace_id')::integer AS namespace_id
    ), sealed AS (
        SELECT coalesce(max(s.end_seq), 0) AS end_seq,
            string_agg(format($segment$
                UNION ALL (
                    SELECT v.memory_id AS id, v.embedding <=> $1 AS distance
                    FROM pinak.segment_%s AS v
                    CROSS JOIN LATERAL (
                        SELECT FROM pinak.memories AS m
                        WHERE m.namespace_id = %s AND m.id = v.memory_id AND pinak.passes(m, $3)
                        OFFSET 0
                    ) AS alive
                    ORDER BY v.embedding <=> $1
                    LIMIT $2
                )$segment$, s.id, s.namespace_id), '' ORDER BY s.id) AS parts
        FROM pinak.segments AS s, here
        WHERE s.namespace_id = here.namespace_id AND s.model_id = $1 AND s.kind = $2
            AND s.rows IS NOT NULL AND s.replaced_at IS NULL
    ), own AS (
        SELECT format('v.namespace_id = %s AND v.model_id = %s AND v.kind = %s',
            namespace_id, $1, $2) AS vectors
        FROM here
    ), tail AS (
        SELECT CASE how WHEN 'segments' THEN end_seq ELSE 0 END AS first_seq FROM sealed
    )
    SELECT CASE how WHEN 'filtered' THEN format($filtered$
        SELECT v.memory_id AS id, v.embedding <=> $1 AS distance
        FROM pinak.memory_vectors AS v
        WHERE %s AND v.memory_id <> ALL ($4) AND v.memory_id IN (
            SELECT m.id FROM pinak.memories AS m
            WHERE m.namespace_id = %s AND pinak.passes(m, $3))
        ORDER BY distance, id
        LIMIT $2
        $filtered$, own.vectors, namespace_id)
    ELSE format($nearest$
        SELECT id, distance
        FROM ((
            SELECT near.id, near.distance
            FROM (
                SELECT v.memory_id AS id, v.embedding <=> $1 AS distance
                FROM pinak.memory_vectors AS v
                WHERE %s %s
                ORDER BY distance, id
                LIMIT 4 * $2
            ) AS near
            CROSS JOIN LATERAL (
                SELECT FROM pinak.memories AS m
                WHERE m.namespace_id = %s AND m.id = near.id AND pinak.passes(m, $3)
                OFFSET 0
            ) AS alive
        ) %s) AS found
        WHERE id <> ALL ($4)
        ORDER BY distance, id
        LIMIT $2
        $nearest$, own.vectors,
        CASE
            WHEN first = tail.first_seq THEN format('AND v.seq >= %s', since)
            WHEN how = 'segments' THEN format('AND v.seq >= %s', tail.first_seq)
        END,
        namespace_id,
        CASE how WHEN 'segments' THEN sealed.parts ELSE '' END
        || CASE WHEN first = tail.first_seq THEN format($known$
                UNION ALL (
                    SELECT k.id, k.distance
                    FROM unnest($5, $6) AS k (id, distance)
                    CROSS JOIN LATERAL (
                        SELECT FROM pinak.memories AS m
                        WHERE m.namespace_id = %s AND m.id = k.id AND pinak.passes(m, $3)
                        OFFSET 0
                    ) AS alive
                )$known$, namespace_id)
        ELSE '' END)
    END
    FROM here, sealed, own, tail
$$
----
-- What a caller has compared in its own memory: the nearest of all vectors numbered from `first` on
-- and below `since` (null: it has compared none).
CREATE TYPE pinak.known AS (
    ids uuid[], distances double precision[], first bigint, since bigint
)
----
-- The vectors nearest to `vector` whose memories pass `f`, nearest first: exactly in a namespace
-- without segments, or where a filter leaves few; else by the segments' indexes. Where too few of
-- the near ones pass, the rest is looked for among all, so that nothing that passes is left out.
CREATE FUNCTION pinak.nearest(
    model integer, kind smallint, vector halfvec, wanted integer, f pinak.filters,
    known pinak.known DEFAULT NULL
) RETURNS TABLE (id uuid, distance double precision)
LANGUAGE plpgsql VOLATILE ROWS 50  -- only a volatile function may EXPLAIN
SET hnsw.iterative_scan = relaxed_order
-- Questions of a few words among 100,000 sentences: 100 finds .92 of the ten nearest, 200 .96,
-- 400 .988.
SET hnsw.ef_search = 600
-- The planner takes a scan with a sort for cheaper than an index, though it never is here.
SET enable_seqscan = off
-- For what is static here; EXECUTE always plans afresh.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    here integer := current_setting('pinak.namespace_id')::integer;
    filtered boolean := pinak.narrows(f);
    how text := CASE WHEN filtered THEN 'filtered' ELSE 'exact' END;
    plan json;
    ids uuid[] := '{}';
    distances double precision[];
BEGIN
    IF wanted < 1 OR vector IS NULL OR kind = 1 AND NOT pinak.has_windows() THEN
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM pinak.segments AS s
        WHERE s.namespace_id = here AND s.model_id = nearest.model
            AND s.kind = nearest.kind AND s.rows IS NOT NULL AND s.replaced_at IS NULL
    ) THEN
        IF filtered THEN
            -- The planner's own guess of how many pass. A walk of an index ends after 20,000 rows
            -- of a segment, so that what one in a thousand passes is not found by it.
            EXECUTE format(
                'EXPLAIN (FORMAT JSON) SELECT FROM pinak.memories AS m'
                ' WHERE m.namespace_id = %s AND pinak.passes(m, $1)', here)
            INTO plan USING f;
        END IF;
        IF NOT filtered OR (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8 > 20000 THEN
            how := 'segments';
        END IF;
    END IF;
    IF how = 'exact' THEN
        -- As nearest_statement has it, but by a plan that is kept: making one takes 1 ms.
        SELECT array_agg(found.id), array_agg(found.distance) INTO ids, distances
        FROM (
            SELECT near.id, near.distance
            FROM (
                SELECT v.memory_id AS id, v.embedding <=> vector AS distance
                FROM pinak.memory_vectors AS v
                WHERE v.namespace_id = here AND v.model_id = nearest.model
                    AND v.kind = nearest.kind
                    AND v.seq >= CASE WHEN known.first = 0 THEN known.since ELSE 0 END
                UNION ALL
                SELECT * FROM unnest(known.ids, known.distances) WHERE known.first = 0
                ORDER BY distance, id
                LIMIT 4 * wanted
            ) AS near
            CROSS JOIN LATERAL (
                SELECT FROM pinak.memories AS m
                WHERE m.namespace_id = here AND m.id = near.id AND pinak.passes(m, NULL)
                OFFSET 0
            ) AS alive
            ORDER BY near.distance, near.id
            LIMIT wanted
        ) AS found;
    ELSE
        EXECUTE format('SELECT array_agg(id), array_agg(distance) FROM (%s) AS found',
                       pinak.nearest_statement(
                           model, kind, how, known.first, known.since))
        INTO ids, distances USING vector, wanted, f, ids, known.ids, known.distances;
    END IF;
    RETURN QUERY SELECT * FROM unnest(ids, distances);
    IF how <> 'filtered' AND coalesce(cardinality(ids), 0) < wanted THEN
        RETURN QUERY EXECUTE pinak.nearest_statement(model, kind, 'filtered')
        USING vector, wanted - coalesce(cardinality(ids), 0), f, coalesce(ids, '{}');
    END IF;
END $$
----
REVOKE ALL ON FUNCTION
    pinak.nearest_statement(integer, smallint, text, bigint, bigint),
    pinak.nearest(integer, smallint, halfvec, integer, pinak.filters, pinak.known)
    FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION
    pinak.nearest_statement(integer, smallint, text, bigint, bigint),
    pinak.nearest(integer, smallint, halfvec, integer, pinak.filters, pinak.known)
    TO pinak_app
