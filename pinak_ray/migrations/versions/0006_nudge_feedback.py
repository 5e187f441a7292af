"""What agents said of their nudges, and what they intend now."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0006"
down_revision = "0005"
upgrade, downgrade = from_sql(revision)
