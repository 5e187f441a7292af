"""Indexing takes namespaces in turn, outside a transaction, and tries again what was refused.

What was set aside counts as new after it, and what waits to be tried again after its way back.
"""

from pinak_ray.migrations.sql_files import from_sql

revision = "0014"
down_revision = "0013"
upgrade, downgrade = from_sql(revision)
