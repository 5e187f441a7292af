-- Who is known to have said it; '' is the agent itself, as in all that was said before.
ALTER TABLE pinak.nudge_feedback
    ADD COLUMN voice text NOT NULL DEFAULT '',
    DROP CONSTRAINT nudge_feedback_pkey,
    ADD CONSTRAINT nudge_feedback_pkey PRIMARY KEY (namespace_id, memory_id, voice, agent, subject)
