"""What came of each run that used a thought template."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0011"
down_revision = "0010"
upgrade, downgrade = from_sql(revision)
