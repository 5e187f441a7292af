"""Names stored before they had one form are brought to it; what becomes one is joined."""

import structlog
from alembic import op
from sqlalchemy import text

from pinak_ray.migrations.sql_files import run_file
from pinak_ray.records.names import repaired

revision = "0015"
down_revision = "0014"

_log = structlog.get_logger()


def upgrade() -> None:
    """Bring the names to their form. Where all have it, which is nearly everywhere, only look."""
    run_file("0015_table.sql")
    run_file("0015_found.sql")
    connection = op.get_bind()
    found = connection.execute(text("SELECT name FROM names_found")).scalars().all()
    renamed = [{"was": name, "name": _normal(name)} for name in found]
    renamed = [each for each in renamed if each["was"] != each["name"]]
    if not renamed:
        return
    connection.execute(text("INSERT INTO renamed (was, name) VALUES (:was, :name)"), renamed)
    run_file("0015_up.sql")
    counts = connection.execute(
        text("SELECT count(*), count(*) FILTER (WHERE joined) FROM pinak.renamed_names")
    ).one()
    _log.warning("names_renamed", names=counts[0], joined=counts[1], see="pinak.renamed_names")


def _normal(name: str) -> str:
    form = repaired(name)
    # A wide dollar sign must not turn a caller's key into one of ours.
    return f"U+FF04{form[1:]}" if form.startswith("$") and not name.startswith("$") else form


def downgrade() -> None:
    """Forget what was renamed; the names stay as they are."""
    op.get_bind().exec_driver_sql("DROP TABLE pinak.renamed_names")
