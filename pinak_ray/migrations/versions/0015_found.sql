-- Each name that is more than plain ASCII within its ends: the few that may have another form.
CREATE TEMPORARY TABLE names_found ON COMMIT DROP AS
SELECT DISTINCT name FROM (
    SELECT tenant AS name FROM pinak.namespaces
    UNION ALL SELECT project FROM pinak.namespaces
    UNION ALL SELECT agent FROM pinak.memories
    UNION ALL SELECT session FROM pinak.memories
    UNION ALL SELECT unnest(tags) FROM pinak.memories
    UNION ALL SELECT unnest(entities) FROM pinak.memories
    UNION ALL SELECT agent FROM pinak.working_items
    UNION ALL SELECT key FROM pinak.working_items
    UNION ALL SELECT owner FROM pinak.entries
    UNION ALL SELECT author FROM pinak.entries
    UNION ALL SELECT key FROM pinak.entries WHERE kind <> 'claim'
    UNION ALL SELECT author FROM pinak.memory_links
    UNION ALL SELECT agent FROM pinak.nudges
    UNION ALL SELECT agent FROM pinak.nudge_feedback
    UNION ALL SELECT agent FROM pinak.retrieval_feedback
    UNION ALL SELECT agent FROM pinak.standing_intents
    UNION ALL SELECT agent FROM pinak.template_outcomes
    UNION ALL SELECT memory ->> 'agent' FROM pinak.memory_archive
    UNION ALL SELECT memory ->> 'session' FROM pinak.memory_archive
) AS every
WHERE name COLLATE "C" !~ '^[!-~]([ -~]*[!-~])?$'
----
CREATE TEMPORARY TABLE renamed (was text PRIMARY KEY, name text NOT NULL) ON COMMIT DROP
