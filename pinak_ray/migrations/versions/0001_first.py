"""First schema: namespaces, memories, vectors, term statistics, agent state, shards, keys.

The way back leaves the extension and the role, which other databases may share.
"""

from pinak_ray.migrations.sql_files import from_sql

revision = "0001"
down_revision = None
upgrade, downgrade = from_sql(revision, ups=("tables", "search", "isolation"))
