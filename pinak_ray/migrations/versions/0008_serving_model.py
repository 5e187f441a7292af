"""Which embedding model serves, and which one served before."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0008"
down_revision = "0007"
upgrade, downgrade = from_sql(revision)
