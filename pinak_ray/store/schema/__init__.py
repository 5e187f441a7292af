"""The tables as the code sees them; `tests/migration` proves that the migrated schema agrees.

SQLAlchemy describes tables here for Alembic's comparison only: no query is built from it.
"""

from pinak_ray.store.database import SCHEMA
from pinak_ray.store.schema import agents, memories, search
from pinak_ray.store.schema.columns import METADATA

__all__ = ["METADATA", "SCHEMA", "agents", "memories", "search"]
