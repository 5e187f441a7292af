-- Names from before they had one form, by what they name. `joined`: something else had the new name
-- already, and the two are one now (namespaces never are: the second one's project got a number).
CREATE TABLE pinak.renamed_names (
    namespace_id integer NOT NULL,
    kind text NOT NULL,
    was text NOT NULL,
    name text NOT NULL,
    joined boolean NOT NULL,
    renamed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT renamed_names_pkey PRIMARY KEY (namespace_id, kind, was)
)
----
GRANT SELECT ON pinak.renamed_names TO pinak_app
----
ALTER TABLE pinak.renamed_names ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pinak.renamed_names FORCE ROW LEVEL SECURITY
----
CREATE POLICY own_namespace ON pinak.renamed_names TO pinak_app
    USING (namespace_id = (SELECT current_setting('pinak.namespace_id')::integer))
----
DO $$
BEGIN
    EXECUTE format(
        'CREATE POLICY service ON pinak.renamed_names TO %I USING (true) WITH CHECK (true)',
        current_user);
END $$
