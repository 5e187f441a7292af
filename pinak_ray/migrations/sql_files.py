"""SQL files beside a migration, run statement by statement."""

from pathlib import Path

from alembic import op

__all__ = ["run_file", "run_statements"]


def run_file(path: Path) -> None:
    """Run a file's statements in order, in the migration's transaction.

    asyncpg prepares each statement alone; `----` stands between them in the files.
    """
    run_statements(path, "")


def run_statements(path: Path, containing: str) -> None:
    """Run those of a file's statements that contain a text, in order."""
    for statement in path.read_text(encoding="utf-8").split("\n----\n"):
        if containing in statement:
            op.get_bind().exec_driver_sql(statement)
