DROP FUNCTION pinak.raise_generations() CASCADE
----
DROP TABLE pinak.generations
