"""What each recalled memory was worth for the question it was recalled for."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0009"
down_revision = "0008"
upgrade, downgrade = from_sql(revision)
