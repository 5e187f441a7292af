"""SQL files beside a migration, run statement by statement."""

from pathlib import Path

from alembic import op

__all__ = ["run_file"]


def run_file(path: Path) -> None:
    """Run a file's statements in order, in the migration's transaction.

    asyncpg prepares each statement alone; `----` stands between them in the files.
    """
    for statement in path.read_text(encoding="utf-8").split("\n----\n"):
        op.get_bind().exec_driver_sql(statement)
