DROP FUNCTION pinak.memories_saying(text[], bytea[])
----
DROP TABLE pinak.template_outcomes
