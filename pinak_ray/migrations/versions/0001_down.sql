DROP FUNCTION pinak.lexical_candidates(
    text, integer, text[], text[], text[], text[], text, timestamptz, timestamptz)
----
DROP FUNCTION pinak.lexical_scores(text, uuid[])
----
DROP FUNCTION pinak.query_terms(text)
----
DROP TABLE
    pinak.signing_keys, pinak.entries, pinak.working_items, pinak.shards, pinak.index_queue,
    pinak.corpus_stats, pinak.term_stats, pinak.memory_vectors, pinak.embedding_models,
    pinak.memories, pinak.namespaces
----
DROP FUNCTION pinak.queue_for_indexing()
