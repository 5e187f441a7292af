"""Run migrations from Python: no ini file, no working directory to be in."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

__all__ = ["downgrade", "latest_revision", "upgrade"]

_LOCATION = str(Path(__file__).parent)
# A migration may wait for another start's migration, then build an index: minutes, not hours.
_TIMEOUT_S = 600.0


def _config(dsn: str | None) -> Config:
    config = Config()
    # A `%` in the path begins no variable.
    config.set_main_option("script_location", _LOCATION.replace("%", "%%"))
    config.attributes["connect_args"] = {
        "dsn": dsn,
        "timeout": 60.0,
        "command_timeout": _TIMEOUT_S,
        # A role called like the schema would otherwise make it the default one, hiding its tables.
        "server_settings": {"search_path": "public"},
    }
    return config


def upgrade(dsn: str, revision: str = "head") -> None:
    """Bring the database up to `revision`. Blocking; must not run on an event loop's thread."""
    command.upgrade(_config(dsn), revision)


def downgrade(dsn: str, revision: str) -> None:
    """Take the database back to `revision` ('base' removes every table). Blocking."""
    command.downgrade(_config(dsn), revision)


def latest_revision() -> str:
    """Return the newest revision that this code knows."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations; reinstall pinak-ray")
    return head
