"""Everything that `pinak-ray doctor` checks; judgements are pure functions of what was found."""

import asyncio
from collections.abc import Callable

from pinak_ray.cli.doctor.database import check_database
from pinak_ray.cli.doctor.machine import check_machine
from pinak_ray.cli.doctor.running import check_running
from pinak_ray.cli.doctor.verdict import Check, State, warning
from pinak_ray.cli.local_stack import dsn_of, reader_dsn_of
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import SetupError

__all__ = ["Check", "State", "run_checks"]


def run_checks(settings: Settings, *, progress: Callable[[str], None]) -> list[Check]:
    """Make every check that can be made; blocking."""
    progress("looking at the machine")
    checks = check_machine(settings)
    progress("asking PostgreSQL")
    try:
        dsn, reader_dsn = dsn_of(settings), reader_dsn_of(settings)
    except SetupError as error:
        checks.append(warning("postgres", str(error), "run `pinak-ray up`, or give --dsn"))
    else:
        checks += asyncio.run(check_database(dsn, reader_dsn))
    progress("asking what runs")
    return [*checks, *check_running(settings)]
