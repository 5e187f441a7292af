"""The roles of the embedded server: who owns the data, who reads it, and who only sets that up.

The cluster's first role is a superuser and cannot become less. It logs in where a server is
started, and prepares; the stack runs as a role that owns the data, and may do nothing beside it.
"""

import re
import secrets
from pathlib import Path
from typing import Final

from pinak_ray.cluster.postgres.cluster import write_whole
from pinak_ray.cluster.postgres.external import APP_ROLE
from pinak_ray.cluster.postgres.place import Place
from pinak_ray.records.errors import SetupError
from pinak_ray.security.secret_files import read_secret

__all__ = ["SERVICE_ROLE", "preparation", "role_password"]

SERVICE_ROLE: Final = "pinak_service"
"""Owns the database and all in the schema: migrations, writers, indexers and hosts log in as it."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")

# BYPASSRLS: the service serves all namespaces, and PostgreSQL refuses COPY to whom policies bind.
# What the loop changes is from when the superuser was the service; in every other start, nothing.
_PREPARATION: Final = """
DO $do$
DECLARE
    change text;
BEGIN
    IF to_regrole('{service}') IS NULL THEN
        CREATE ROLE {service};
    END IF;
    IF to_regrole('{reader}') IS NULL THEN
        CREATE ROLE {reader};
    END IF;
    ALTER ROLE {service} LOGIN PASSWORD '{service_password}'
        NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS;
    ALTER ROLE {reader} LOGIN PASSWORD '{reader_password}'
        NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT;
    GRANT {reader} TO {service} WITH INHERIT FALSE, SET TRUE;
    CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;
    EXECUTE format('ALTER DATABASE %I OWNER TO {service}', current_database());
    FOR change IN
        SELECT 'ALTER SCHEMA pinak OWNER TO {service}'
        FROM pg_namespace WHERE nspname = 'pinak' AND nspowner <> '{service}'::regrole
        UNION ALL
        -- Indexes, and sequences of a column, follow their table.
        SELECT format('ALTER TABLE %s OWNER TO {service}', c.oid::regclass)
        FROM pg_class AS c
        WHERE c.relnamespace = to_regnamespace('pinak') AND c.relowner <> '{service}'::regrole
            AND (c.relkind IN ('r', 'p', 'v', 'm') OR c.relkind = 'S' AND NOT EXISTS (
                SELECT FROM pg_depend AS d
                WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
                    AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass))
        UNION ALL
        SELECT format('ALTER TYPE %s OWNER TO {service}', t.oid::regtype)
        FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
        WHERE t.typnamespace = to_regnamespace('pinak') AND t.typowner <> '{service}'::regrole
            AND (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c')
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO {service}', p.oid::regprocedure)
        FROM pg_proc AS p
        WHERE p.pronamespace = to_regnamespace('pinak') AND p.proowner <> '{service}'::regrole
        UNION ALL
        SELECT format('ALTER POLICY service ON %s TO {service}', p.polrelid::regclass)
        FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
        WHERE c.relnamespace = to_regnamespace('pinak') AND p.polname = 'service'
            AND p.polroles <> ARRAY['{service}'::regrole::oid]
    LOOP
        EXECUTE change;
    END LOOP;
END $do$
"""


def preparation(place: Place) -> str:
    """Return the statement by which the superuser gives a database to the service.

    It makes the roles, and moves over what an earlier version's superuser owns: all or nothing, and
    again without effect. Passwords that are not there yet are made.
    """
    for file in (place.service_password, place.reader_password):
        if not file.exists():
            write_whole(file, secrets.token_urlsafe(32) + "\n", mode=0o600)
    return _PREPARATION.format(
        service=SERVICE_ROLE,
        reader=APP_ROLE,
        service_password=role_password(place.service_password),
        reader_password=role_password(place.reader_password),
    )


def role_password(file: Path) -> str:
    """Return the password that a start has made; raises SetupError when there is none, or half."""
    mend = f"remove {file}, and run `pinak-ray up`"
    try:
        password = read_secret(file, otherwise=mend)
    except FileNotFoundError:
        raise SetupError(f"{file} is not there: `pinak-ray up` makes it") from None
    if not _TOKEN.fullmatch(password):
        raise SetupError(f"{file} is damaged; {mend}")
    return password
