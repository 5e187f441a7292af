-- What a memory was worth when an agent graded what it had recalled for one question, from -1 (it did
-- not bear on it) to 1. `question` is made from the question's words: graded again, it is one row.
CREATE TABLE pinak.retrieval_feedback (
    namespace_id integer NOT NULL,
    memory_id uuid NOT NULL,
    agent text NOT NULL,
    question uuid NOT NULL,
    score double precision NOT NULL CHECK (score BETWEEN -1 AND 1),
    graded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT retrieval_feedback_pkey PRIMARY KEY (namespace_id, memory_id, agent, question),
    CONSTRAINT retrieval_feedback_memory FOREIGN KEY (namespace_id, memory_id)
        REFERENCES pinak.memories (namespace_id, id) ON DELETE CASCADE
)
----
GRANT SELECT ON pinak.retrieval_feedback TO pinak_app
----
ALTER TABLE pinak.retrieval_feedback ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.retrieval_feedback FORCE ROW LEVEL SECURITY
----
CREATE POLICY own_namespace ON pinak.retrieval_feedback TO pinak_app
    USING (namespace_id = (SELECT current_setting('pinak.namespace_id')::integer))
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.retrieval_feedback TO %I USING (true) WITH CHECK (true)',
        current_user);
END $$
