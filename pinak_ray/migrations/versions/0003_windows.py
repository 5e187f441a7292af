"""Windows: what was said around each memory of a session."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0003"
down_revision = "0002"
upgrade, downgrade = from_sql(revision)
