-- What the report says, before anything is changed.
INSERT INTO pinak.renamed_names (namespace_id, kind, was, name, joined)
SELECT namespace_id, kind, was, name, joined FROM (
    SELECT u.namespace_id, u.kind, r.was, r.name,
        count(*) OVER (PARTITION BY u.namespace_id, u.kind, coalesce(r.name, u.name)) > 1 AS joined
    FROM (
        SELECT namespace_id, 'agent' AS kind, agent AS name FROM pinak.memories
        UNION SELECT namespace_id, 'agent', agent FROM pinak.working_items
        UNION SELECT namespace_id, space, owner FROM pinak.entries
        UNION SELECT namespace_id, 'agent', author FROM pinak.entries
        UNION SELECT namespace_id, 'key', key FROM pinak.working_items
        UNION SELECT namespace_id, 'key', key FROM pinak.entries WHERE kind <> 'claim'
        UNION SELECT namespace_id, 'session', session FROM pinak.memories
        UNION SELECT namespace_id, 'tag', unnest(tags) FROM pinak.memories
        UNION SELECT namespace_id, 'entity', unnest(entities) FROM pinak.memories
    ) AS u
    LEFT JOIN renamed AS r ON r.was = u.name
    WHERE coalesce(r.name, u.name) IN (SELECT name FROM renamed)
) AS used
WHERE was IS NOT NULL
----
-- Two namespaces are never joined: that would open one to the tokens of the other.
WITH wanted AS (
    SELECT n.id, coalesce(t.name, n.tenant) AS tenant, coalesce(p.name, n.project) AS project,
        row_number() OVER (
            PARTITION BY coalesce(t.name, n.tenant), coalesce(p.name, n.project)
            ORDER BY (t.was IS NULL AND p.was IS NULL) DESC, n.id) AS place,
        t.was IS NOT NULL OR p.was IS NOT NULL AS changes
    FROM pinak.namespaces AS n
    LEFT JOIN renamed AS t ON t.was = n.tenant
    LEFT JOIN renamed AS p ON p.was = n.project
), changed AS (
    SELECT w.id, n.tenant || '/' || n.project AS was, w.tenant,
        CASE w.place WHEN 1 THEN w.project ELSE left(w.project, 60) || ' #' || w.id END AS project
    FROM wanted AS w JOIN pinak.namespaces AS n ON n.id = w.id
    WHERE w.changes
), told AS (
    INSERT INTO pinak.renamed_names (namespace_id, kind, was, name, joined)
    SELECT id, 'namespace', was, tenant || '/' || project, false FROM changed
)
UPDATE pinak.namespaces AS n SET tenant = changed.tenant, project = changed.project
FROM changed WHERE changed.id = n.id
----
-- Who said it is part of the words of a session's entry: its terms are counted anew.
CREATE TEMPORARY TABLE retold ON COMMIT DROP AS
SELECT m.namespace_id, m.id,
    EXISTS (SELECT FROM pinak.index_queue AS q WHERE m.id = ANY (q.memory_ids)) AS is_queued
FROM pinak.memories AS m
WHERE m.session IS NOT NULL
    AND (m.agent IN (SELECT was FROM renamed) OR m.session IN (SELECT was FROM renamed))
----
INSERT INTO pinak.term_stats AS t (namespace_id, term, documents)
SELECT m.namespace_id, lexeme, -count(*)
FROM retold AS q JOIN pinak.memories AS m USING (namespace_id, id)
CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS lexeme
WHERE NOT q.is_queued
GROUP BY m.namespace_id, lexeme
ON CONFLICT (namespace_id, term) DO UPDATE SET documents = t.documents + excluded.documents
----
INSERT INTO pinak.corpus_stats AS c (namespace_id, documents, total_length)
SELECT m.namespace_id, -count(*), -sum(length(m.lexemes))
FROM retold AS q JOIN pinak.memories AS m USING (namespace_id, id)
WHERE NOT q.is_queued
GROUP BY m.namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    documents = c.documents + excluded.documents,
    total_length = c.total_length + excluded.total_length
----
UPDATE pinak.memories AS m SET
    agent = coalesce((SELECT name FROM renamed WHERE was = m.agent), m.agent),
    session = coalesce((SELECT name FROM renamed WHERE was = m.session), m.session),
    tags = ARRAY(
        SELECT coalesce(r.name, l.label)
        FROM unnest(m.tags) WITH ORDINALITY AS l (label, place)
        LEFT JOIN renamed AS r ON r.was = l.label
        GROUP BY 1 ORDER BY min(l.place)),
    entities = ARRAY(
        SELECT coalesce(r.name, l.label)
        FROM unnest(m.entities) WITH ORDINALITY AS l (label, place)
        LEFT JOIN renamed AS r ON r.was = l.label
        GROUP BY 1 ORDER BY min(l.place))
WHERE m.agent IN (SELECT was FROM renamed) OR m.session IN (SELECT was FROM renamed)
    OR m.tags && (SELECT array_agg(was) FROM renamed)
    OR m.entities && (SELECT array_agg(was) FROM renamed)
----
INSERT INTO pinak.term_stats AS t (namespace_id, term, documents)
SELECT m.namespace_id, lexeme, count(*)
FROM retold AS q JOIN pinak.memories AS m USING (namespace_id, id)
CROSS JOIN LATERAL unnest(tsvector_to_array(m.lexemes)) AS lexeme
WHERE NOT q.is_queued
GROUP BY m.namespace_id, lexeme
ON CONFLICT (namespace_id, term) DO UPDATE SET documents = t.documents + excluded.documents
----
DELETE FROM pinak.term_stats
WHERE documents = 0 AND namespace_id IN (SELECT namespace_id FROM retold)
----
INSERT INTO pinak.corpus_stats AS c (namespace_id, documents, total_length)
SELECT m.namespace_id, count(*), sum(length(m.lexemes))
FROM retold AS q JOIN pinak.memories AS m USING (namespace_id, id)
WHERE NOT q.is_queued
GROUP BY m.namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    documents = c.documents + excluded.documents,
    total_length = c.total_length + excluded.total_length
----
-- The windows of these sessions are written anew: the Indexer takes a session that is settling.
DELETE FROM pinak.settling_sessions WHERE session IN (SELECT was FROM renamed)
----
CREATE TEMPORARY TABLE rewindowed ON COMMIT DROP AS
SELECT m.namespace_id, m.session, m.id
FROM pinak.memories AS m
WHERE (m.namespace_id, m.session) IN (
    SELECT namespace_id, session FROM retold JOIN pinak.memories USING (namespace_id, id))
----
DELETE FROM pinak.memory_vectors AS v USING rewindowed AS r
WHERE v.namespace_id = r.namespace_id AND v.kind = 1 AND v.memory_id = r.id
----
WITH dropped AS (
    DELETE FROM pinak.memory_windows AS w USING rewindowed AS r
    WHERE w.namespace_id = r.namespace_id AND w.memory_id = r.id
    RETURNING w.namespace_id, length(w.lexemes) AS length
)
INSERT INTO pinak.window_stats AS s (namespace_id, windows, total_length)
SELECT namespace_id, -count(*), -sum(length) FROM dropped GROUP BY namespace_id
ON CONFLICT (namespace_id) DO UPDATE SET
    windows = s.windows + excluded.windows, total_length = s.total_length + excluded.total_length
----
INSERT INTO pinak.settling_sessions AS s (namespace_id, session, from_id, pending, last_at)
SELECT namespace_id, session, (array_agg(id ORDER BY id))[1], count(*), '-infinity'
FROM rewindowed
GROUP BY namespace_id, session
ON CONFLICT (namespace_id, session) DO UPDATE SET
    from_id = least(s.from_id, excluded.from_id), pending = s.pending + excluded.pending
----
-- Of two items that are one now the newest stays, under a version above both.
CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
SELECT w.namespace_id, w.agent, w.key,
    coalesce(a.name, w.agent) AS new_agent, coalesce(k.name, w.key) AS new_key,
    max(w.version) OVER same AS version,
    row_number() OVER (same ORDER BY w.updated_at DESC, w.version DESC) AS place
FROM pinak.working_items AS w
LEFT JOIN renamed AS a ON a.was = w.agent
LEFT JOIN renamed AS k ON k.was = w.key
WHERE coalesce(a.name, w.agent) IN (SELECT name FROM renamed)
    OR coalesce(k.name, w.key) IN (SELECT name FROM renamed)
WINDOW same AS (
    PARTITION BY w.namespace_id, coalesce(a.name, w.agent), coalesce(k.name, w.key))
----
DELETE FROM pinak.working_items AS w USING placed AS p
WHERE p.place > 1 AND (w.namespace_id, w.agent, w.key) = (p.namespace_id, p.agent, p.key)
----
UPDATE pinak.working_items AS w
SET agent = p.new_agent, key = p.new_key, version = p.version
FROM placed AS p
WHERE p.place = 1 AND (w.namespace_id, w.agent, w.key) = (p.namespace_id, p.agent, p.key)
    AND (w.agent, w.key, w.version) <> (p.new_agent, p.new_key, p.version)
----
-- One entry posted to both logs stays once.
WITH copies AS (
    SELECT e.namespace_id, e.space, e.owner, e.id,
        row_number() OVER (
            PARTITION BY e.namespace_id, e.space, coalesce(r.name, e.owner), e.id
            ORDER BY e.version DESC, r.was IS NULL DESC, e.owner) AS place
    FROM pinak.entries AS e LEFT JOIN renamed AS r ON r.was = e.owner
    WHERE coalesce(r.name, e.owner) IN (SELECT name FROM renamed)
)
DELETE FROM pinak.entries AS e USING copies AS c
WHERE c.place > 1
    AND (e.namespace_id, e.space, e.owner, e.id) = (c.namespace_id, c.space, c.owner, c.id)
----
-- Entries of a log that joins another come behind that one's, in their order: the cursors of those
-- who read there stay good. A log that is only renamed keeps its own.
WITH moved AS (
    SELECT e.namespace_id, e.space, e.owner, e.id, r.name,
        coalesce(there.seq, 0) + row_number() OVER (
            PARTITION BY e.namespace_id, e.space, r.name ORDER BY e.owner, e.seq) AS seq,
        there.owners > 1 AS joins
    FROM pinak.entries AS e
    JOIN renamed AS r ON r.was = e.owner
    CROSS JOIN LATERAL (
        SELECT max(o.seq) AS seq, count(DISTINCT o.owner) AS owners
        FROM pinak.entries AS o
        WHERE o.namespace_id = e.namespace_id AND o.space = e.space
            AND (o.owner = r.name OR o.owner IN (SELECT was FROM renamed WHERE name = r.name))
    ) AS there
)
UPDATE pinak.entries AS e
SET owner = m.name, seq = CASE WHEN m.joins THEN m.seq ELSE e.seq END
FROM moved AS m
WHERE (e.namespace_id, e.space, e.owner, e.id) = (m.namespace_id, m.space, m.owner, m.id)
----
-- A claim's key is the text of its subject, not a name. A note's reader is in its details.
UPDATE pinak.entries AS e SET
    author = coalesce((SELECT name FROM renamed WHERE was = e.author), e.author),
    key = CASE e.kind WHEN 'claim' THEN e.key
        ELSE coalesce((SELECT name FROM renamed WHERE was = e.key), e.key) END,
    details = CASE WHEN r.was IS NULL THEN e.details
        ELSE jsonb_set(e.details, '{to}', to_jsonb(r.name)) END
FROM pinak.entries AS same LEFT JOIN renamed AS r
    ON same.kind = 'note' AND r.was = same.details ->> 'to'
WHERE (e.namespace_id, e.space, e.owner, e.id)
        = (same.namespace_id, same.space, same.owner, same.id)
    AND (r.was IS NOT NULL OR e.author IN (SELECT was FROM renamed)
        OR (e.kind <> 'claim' AND e.key IN (SELECT was FROM renamed)))
----
UPDATE pinak.memory_links AS l SET author = r.name FROM renamed AS r WHERE r.was = l.author
----
UPDATE pinak.nudges AS n SET agent = r.name FROM renamed AS r WHERE r.was = n.agent
----
UPDATE pinak.template_outcomes AS o SET agent = r.name FROM renamed AS r WHERE r.was = o.agent
----
-- Of two voices that are one now the last word counts.
WITH voices AS (
    SELECT f.ctid AS place, row_number() OVER (
        PARTITION BY f.namespace_id, f.memory_id, f.voice, f.subject, coalesce(r.name, f.agent)
        ORDER BY f.given_at DESC, f.agent) AS rank
    FROM pinak.nudge_feedback AS f LEFT JOIN renamed AS r ON r.was = f.agent
    WHERE coalesce(r.name, f.agent) IN (SELECT name FROM renamed)
)
DELETE FROM pinak.nudge_feedback AS f USING voices AS v WHERE v.rank > 1 AND f.ctid = v.place
----
UPDATE pinak.nudge_feedback AS f SET agent = r.name FROM renamed AS r WHERE r.was = f.agent
----
WITH voices AS (
    SELECT f.ctid AS place, row_number() OVER (
        PARTITION BY f.namespace_id, f.memory_id, f.question, coalesce(r.name, f.agent)
        ORDER BY f.graded_at DESC, f.agent) AS rank
    FROM pinak.retrieval_feedback AS f LEFT JOIN renamed AS r ON r.was = f.agent
    WHERE coalesce(r.name, f.agent) IN (SELECT name FROM renamed)
)
DELETE FROM pinak.retrieval_feedback AS f USING voices AS v WHERE v.rank > 1 AND f.ctid = v.place
----
UPDATE pinak.retrieval_feedback AS f SET agent = r.name FROM renamed AS r WHERE r.was = f.agent
----
-- An intent stands for a quarter of an hour; the next one takes the new name.
DELETE FROM pinak.standing_intents WHERE agent IN (SELECT was FROM renamed)
----
UPDATE pinak.memory_archive AS a SET memory = a.memory
    || jsonb_build_object('agent', coalesce(
        (SELECT name FROM renamed WHERE was = a.memory ->> 'agent'), a.memory ->> 'agent'))
    || jsonb_build_object('session', coalesce(
        (SELECT name FROM renamed WHERE was = a.memory ->> 'session'), a.memory ->> 'session'))
WHERE a.memory ->> 'agent' IN (SELECT was FROM renamed)
    OR a.memory ->> 'session' IN (SELECT was FROM renamed)
