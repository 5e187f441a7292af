"""${message}."""

from pinak_ray.migrations.sql_files import from_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
upgrade, downgrade = from_sql(revision)
