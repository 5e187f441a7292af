"""Curation: how often memories are recalled, what was archived, and the last report."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0010"
down_revision = "0009"
upgrade, downgrade = from_sql(revision)
