"""A caller's keys: what each stands for, and what was said under it."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0013"
down_revision = "0012"
upgrade, downgrade = from_sql(revision)
