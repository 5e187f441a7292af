DROP TABLE pinak.batch_receipts
----
DROP TABLE pinak.placement
