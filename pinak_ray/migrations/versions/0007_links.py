"""Links between memories."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0007"
down_revision = "0006"
upgrade, downgrade = from_sql(revision)
