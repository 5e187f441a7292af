DROP TABLE pinak.recorded_queries
----
DROP TABLE pinak.backfill_queue
----
DROP TABLE pinak.backfills
----
DROP TABLE pinak.serving_model
----
ALTER TABLE pinak.embedding_models DROP COLUMN spec
