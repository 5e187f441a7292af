"""Feedback on nudges is counted by who is known to have given it, whichever agent that names."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0012"
down_revision = "0011"
upgrade, downgrade = from_sql(revision)
