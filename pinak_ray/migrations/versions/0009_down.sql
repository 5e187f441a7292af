DROP TABLE pinak.retrieval_feedback
