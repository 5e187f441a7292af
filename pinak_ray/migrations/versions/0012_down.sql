-- Of several voices for one agent the last word stays.
DELETE FROM pinak.nudge_feedback AS f USING pinak.nudge_feedback AS later
WHERE (f.namespace_id, f.memory_id, f.agent, f.subject)
        = (later.namespace_id, later.memory_id, later.agent, later.subject)
    AND (f.given_at, f.voice) < (later.given_at, later.voice)
----
ALTER TABLE pinak.nudge_feedback
    DROP CONSTRAINT nudge_feedback_pkey,
    ADD CONSTRAINT nudge_feedback_pkey PRIMARY KEY (namespace_id, memory_id, agent, subject),
    DROP COLUMN voice
