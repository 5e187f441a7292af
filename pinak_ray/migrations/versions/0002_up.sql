-- The placement that all hosts and clients follow: one row. `dedicated` is a list of
-- [namespace id, space, name, shard]: owners with a host of their own.
CREATE TABLE pinak.placement (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL,
    hosts text[] NOT NULL,
    dedicated jsonb NOT NULL DEFAULT '[]',
    changed_at timestamptz NOT NULL DEFAULT now()
)
----
-- The receipts of the last batch that each lane brought to each host, written in the transaction
-- that commits its changes: a retry is answered from here. 41 bytes a receipt.
CREATE TABLE pinak.batch_receipts (
    lane uuid NOT NULL,
    host text NOT NULL,
    batch bigint NOT NULL,
    receipts bytea NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, host)
)
----
CREATE INDEX batch_receipts_by_time ON pinak.batch_receipts (committed_at)
