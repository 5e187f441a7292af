"""Where hosts are, and what a lane's last batch was answered."""

from pinak_ray.migrations.sql_files import from_sql

revision = "0002"
down_revision = "0001"
upgrade, downgrade = from_sql(revision)
