"""SQL files beside a migration, run statement by statement."""

from collections.abc import Callable, Sequence
from pathlib import Path

from alembic import op

__all__ = ["from_sql", "run_file", "run_statements"]

_VERSIONS = Path(__file__).with_name("versions")


def from_sql(
    revision: str, ups: Sequence[str] = ("up",), downs: Sequence[str] = ("down",)
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return a version's `upgrade` and `downgrade`: each runs its files (`0007_up.sql`)."""

    def running(parts: Sequence[str]) -> Callable[[], None]:
        def run() -> None:
            for part in parts:
                run_file(f"{revision}_{part}.sql")

        return run

    return running(ups), running(downs)


def run_file(name: str) -> None:
    """Run a file's statements in order, in the migration's transaction.

    asyncpg prepares each statement alone; `----` stands between them in the files.
    """
    run_statements(name, "")


def run_statements(name: str, containing: str) -> None:
    """Run those of a file's statements that contain a text, in order."""
    for statement in (_VERSIONS / name).read_text(encoding="utf-8").split("\n----\n"):
        if containing in statement:
            op.get_bind().exec_driver_sql(statement)
