"""Generations: what makes a cached answer stale."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0005"
down_revision = "0004"
upgrade, downgrade = from_sql(revision)
