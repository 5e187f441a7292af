-- One row a nudge that was shown: to whom, of which memory, when last, and by which request. For the
-- cool-down, and to know what a nudge was about when an agent says what it was worth.
CREATE TABLE pinak.nudges (
    namespace_id integer NOT NULL,
    id uuid NOT NULL,
    agent text NOT NULL,
    memory_id uuid NOT NULL,
    operation_id uuid,
    shown_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT nudges_pkey PRIMARY KEY (namespace_id, id)
)
----
CREATE INDEX nudges_by_agent ON pinak.nudges (namespace_id, agent, memory_id)
----
CREATE INDEX nudges_by_time ON pinak.nudges (shown_at)
----
-- An agent's last word on one nudge; `subject` is the memory itself where that was named.
CREATE TABLE pinak.nudge_feedback (
    namespace_id integer NOT NULL,
    memory_id uuid NOT NULL,
    agent text NOT NULL,
    subject uuid NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('useful', 'not_useful', 'acted_on')),
    given_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT nudge_feedback_pkey PRIMARY KEY (namespace_id, memory_id, agent, subject),
    CONSTRAINT nudge_feedback_memory FOREIGN KEY (namespace_id, memory_id)
        REFERENCES pinak.memories (namespace_id, id) ON DELETE CASCADE
)
----
GRANT SELECT ON pinak.nudges, pinak.nudge_feedback TO pinak_app
----
DO $$
DECLARE
    walled text;
BEGIN
    FOREACH walled IN ARRAY ARRAY['nudges', 'nudge_feedback'] LOOP
        EXECUTE format('ALTER TABLE pinak.%I ENABLE ROW LEVEL SECURITY', walled);
        EXECUTE format('ALTER TABLE pinak.%I FORCE ROW LEVEL SECURITY', walled);
        EXECUTE format(
            'CREATE POLICY own_namespace ON pinak.%I TO pinak_app '
            'USING (namespace_id = (SELECT current_setting(''pinak.namespace_id'')::integer))',
            walled);
        EXECUTE format(
            'CREATE POLICY service ON pinak.%I TO %I USING (true) WITH CHECK (true)',
            walled, current_user);
    END LOOP;
END $$
----
-- What each agent is about to do: its last intent, for a quarter of an hour. Unlogged: it is written
-- with every intent, and an agent whose intent a crash of the server took says the next one soon.
-- No vector index: a namespace has as many rows as agents at work, and they change all the time.
CREATE UNLOGGED TABLE pinak.standing_intents (
    namespace_id integer NOT NULL,
    agent text NOT NULL,
    model_id integer NOT NULL,
    intent jsonb NOT NULL,
    search_text text NOT NULL,
    embedding halfvec NOT NULL,
    safe_similarity double precision NOT NULL,
    intended_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    nudged_at timestamptz,
    CONSTRAINT standing_intents_pkey PRIMARY KEY (namespace_id, agent)
) WITH (fillfactor = 50)
----
CREATE INDEX standing_intents_expiring ON pinak.standing_intents (expires_at)
----
-- Failures that agents are still to be told of, put here in the transaction that indexes them. Each
-- is looked at twice: an intent may be on its way here when the failure comes.
CREATE TABLE pinak.untold_failures (
    namespace_id integer NOT NULL,
    memory_id uuid NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    is_looked_at boolean NOT NULL DEFAULT false,
    CONSTRAINT untold_failures_pkey PRIMARY KEY (namespace_id, memory_id)
)
----
GRANT SELECT ON pinak.standing_intents TO pinak_app
----
DO $$
DECLARE
    walled text;
BEGIN
    FOREACH walled IN ARRAY ARRAY['standing_intents', 'untold_failures'] LOOP
        EXECUTE format('ALTER TABLE pinak.%I ENABLE ROW LEVEL SECURITY', walled);
        EXECUTE format('ALTER TABLE pinak.%I FORCE ROW LEVEL SECURITY', walled);
        EXECUTE format(
            'CREATE POLICY own_namespace ON pinak.%I TO pinak_app '
            'USING (namespace_id = (SELECT current_setting(''pinak.namespace_id'')::integer))',
            walled);
        EXECUTE format(
            'CREATE POLICY service ON pinak.%I TO %I USING (true) WITH CHECK (true)',
            walled, current_user);
    END LOOP;
END $$
