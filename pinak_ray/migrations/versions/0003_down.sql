DROP FUNCTION pinak.window_candidates(
    text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
----
DROP FUNCTION pinak.window_terms(text)
----
DROP INDEX pinak.memories_by_session
----
DROP TABLE pinak.memory_windows, pinak.window_stats, pinak.settling_sessions
----
DELETE FROM pinak.memory_vectors WHERE kind = 1
