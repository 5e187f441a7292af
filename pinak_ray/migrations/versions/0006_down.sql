DROP TABLE pinak.nudges, pinak.nudge_feedback
----
DROP TABLE pinak.standing_intents, pinak.untold_failures
