-- Loads pgvector's library: before that its settings are unknown, and only a superuser may name them.
SELECT '[1]'::halfvec
----
-- The statement that finds the `wanted` ($2) vectors nearest to $1 whose memories pass $3 and are
-- none of $4, in the session's namespace. Text, so that its numbers are the planner's, and so that a
-- test can EXPLAIN it. `how`:
--   filtered  every vector whose memory passes.
--   segments  each segment's index, walked until `wanted` pass (hnsw.iterative_scan), and every vector
--             of the tail behind the last segment.
CREATE FUNCTION pinak.nearest_statement(model integer, kind smallint, how text) RETURNS text
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
    ELSE format($segments$
        SELECT id, distance
        FROM ((
            SELECT near.id, near.distance
            FROM (
                SELECT v.memory_id AS id, v.embedding <=> $1 AS distance
                FROM pinak.memory_vectors AS v
                WHERE %s AND v.seq >= %s
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
        $segments$, own.vectors, sealed.end_seq, namespace_id, sealed.parts)
    END
    FROM here, sealed, own
$$
----
-- What a caller has compared in its own memory: the nearest of all vectors numbered below `since` (null:
-- it has compared none). Without distances these are about the nearest.
CREATE TYPE pinak.known AS (ids uuid[], distances double precision[], since bigint)
----
-- What is known, each with its distance: looked up by its key where the caller does not know it. What
-- has no vector any more is left out.
CREATE FUNCTION pinak.measured(model integer, kind smallint, vector halfvec, known pinak.known)
RETURNS TABLE (id uuid, distance double precision)
LANGUAGE sql STABLE ROWS 100
AS $$
    SELECT k.id, k.distance
    FROM unnest(known.ids, known.distances) AS k (id, distance)
    WHERE known.distances IS NOT NULL
    UNION ALL
    SELECT k.id, v.embedding <=> vector
    FROM unnest(known.ids) AS k (id)
    CROSS JOIN LATERAL (
        SELECT v.embedding FROM pinak.memory_vectors AS v
        WHERE v.namespace_id = current_setting('pinak.namespace_id')::integer
            AND v.model_id = $1 AND v.kind = $2 AND v.memory_id = k.id
        OFFSET 0
    ) AS v
    WHERE known.distances IS NULL
$$
----
-- The vectors nearest to `vector` whose memories pass `f`, nearest first: exactly in a namespace
-- without segments, or where a filter leaves few; among what is known where nothing narrows; else by
-- the segments' indexes. Where too few of the near ones pass, the rest is looked for among all, so
-- that nothing that passes is left out.
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
    has_segments boolean;
    how text;
    plan json;
    ids uuid[] := '{}';
    distances double precision[];
BEGIN
    IF wanted < 1 OR vector IS NULL OR kind = 1 AND NOT pinak.has_windows() THEN
        RETURN;
    END IF;
    has_segments := EXISTS (
        SELECT FROM pinak.segments AS s
        WHERE s.namespace_id = here AND s.model_id = nearest.model
            AND s.kind = nearest.kind AND s.rows IS NOT NULL AND s.replaced_at IS NULL
    );
    how := CASE WHEN filtered THEN 'filtered' WHEN has_segments THEN 'segments' ELSE 'all' END;
    IF how <> 'filtered' AND (how = 'all' OR known.since IS NOT NULL) THEN
        -- Static, for a plan that is kept: making one takes 1 ms. Joining first would read every
        -- memory's row to drop almost none, and a heap of the nearest costs 4 ms less than sorting
        -- 10k distances. No coalesce: behind row-level security it would not reach the index.
        SELECT array_agg(found.id), array_agg(found.distance) INTO ids, distances
        FROM (
            SELECT near.id, near.distance
            FROM (
                SELECT v.memory_id AS id, v.embedding <=> vector AS distance
                FROM pinak.memory_vectors AS v
                WHERE v.namespace_id = here AND v.model_id = nearest.model
                    AND v.kind = nearest.kind
                    AND v.seq >= CASE WHEN known.since IS NULL THEN 0 ELSE known.since END
                UNION ALL
                SELECT k.id, k.distance
                FROM pinak.measured(model, kind, vector, known) AS k
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
    ELSIF filtered AND has_segments THEN
        -- The planner's own guess of how many pass. A walk of an index ends after 20,000 rows
        -- of a segment, so that what one in a thousand passes is not found by it.
        EXECUTE format(
            'EXPLAIN (FORMAT JSON) SELECT FROM pinak.memories AS m'
            ' WHERE m.namespace_id = %s AND pinak.passes(m, $1)', here)
        INTO plan USING f;
        IF (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8 > 20000 THEN
            how := 'segments';
        END IF;
    END IF;
    -- Where most of what is known does not pass any more, the segments are asked after all.
    IF how = 'filtered' OR how = 'segments' AND coalesce(cardinality(ids), 0) < wanted THEN
        EXECUTE format('SELECT array_agg(id), array_agg(distance) FROM (%s) AS found',
                       pinak.nearest_statement(model, kind, how))
        INTO ids, distances USING vector, wanted, f, '{}'::uuid[];
    END IF;
    RETURN QUERY SELECT * FROM unnest(ids, distances);
    IF how <> 'filtered' AND coalesce(cardinality(ids), 0) < wanted THEN
        RETURN QUERY EXECUTE pinak.nearest_statement(model, kind, 'filtered')
        USING vector, wanted - coalesce(cardinality(ids), 0), f, coalesce(ids, '{}');
    END IF;
END $$
----
REVOKE ALL ON FUNCTION
    pinak.nearest_statement(integer, smallint, text),
    pinak.measured(integer, smallint, halfvec, pinak.known),
    pinak.nearest(integer, smallint, halfvec, integer, pinak.filters, pinak.known)
    FROM PUBLIC
----
GRANT EXECUTE ON FUNCTION
    pinak.nearest_statement(integer, smallint, text),
    pinak.measured(integer, smallint, halfvec, pinak.known),
    pinak.nearest(integer, smallint, halfvec, integer, pinak.filters, pinak.known)
    TO pinak_app
