"""The embedded PostgreSQL: one server over the wheel's programs, started, found again, stopped.

The server outlives the process that starts it, and any other process finds it by its data
directory. It lives when a query succeeds, and not because a pid file says so.
"""

import asyncio
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg

from pinak_ray.cluster.postgres.cluster import (
    SUPERUSER,
    check_version,
    last_log_lines,
    make_cluster,
    read_password,
    write_whole,
)
from pinak_ray.cluster.postgres.config import ServerSettings, render_config, this_machine
from pinak_ray.cluster.postgres.external import APP_ROLE
from pinak_ray.cluster.postgres.place import (
    Account,
    Place,
    choose_account,
    choose_home,
    find_binaries,
    find_home,
    make_dir,
    remember_home,
    spawn,
)
from pinak_ray.cluster.postgres.process import clear_leftovers, live_postmaster, server_processes
from pinak_ray.cluster.postgres.roles import SERVICE_ROLE, preparation, role_password
from pinak_ray.records.errors import SetupError, Unavailable

__all__ = ["EmbeddedPostgres"]

_POLL_S = 0.02
_REPORT_EVERY_S = 2.0
_ORPHAN_GRACE_S = 2.0
_PING_TIMEOUT_S = 5.0
_INTERRUPTED_S = 10.0
_START_LOG_BYTES = 1 << 20
_SYSTEM_DIR = Path("/var/lib/pinak-ray")

Report = Callable[[str], None]


class EmbeddedPostgres:
    """One PostgreSQL server and its data under `data_dir`; every method blocks.

    `bin_dir` replaces the programs of the wheel. `durable=False` gives up crash safety for speed:
    tests only. `settings` and `durable` count when this object is the one that starts the server.
    Started by root, the server runs as the system user `server_user` (or as the owner of the data
    that exists), and what that user cannot reach lies under `system_dir`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        database: str = "pinak",
        durable: bool = True,
        settings: ServerSettings | None = None,
        server_user: str = "pinak",
        system_dir: Path = _SYSTEM_DIR,
    ) -> None:
        self._asked = Path(data_dir).resolve()
        self._bin_dir = bin_dir
        self._database = database
        self._durable = durable
        self._settings = settings or ServerSettings()
        self._server_user = server_user
        self._system_dir = system_dir

    def __repr__(self) -> str:
        return (
            f"EmbeddedPostgres({str(self._asked)!r}, database={self._database!r}, "
            f"postmaster_pid={self.postmaster_pid})"
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def home(self) -> Path:
        """Where the data really lies: `data_dir`, unless root had to place it elsewhere."""
        return find_home(self._asked, self._system_dir)

    @property
    def dsn(self) -> str:
        """The service's DSN, password inside: its role owns the data, and is no superuser.

        Raises SetupError before a start.
        """
        return self._role_dsn(SERVICE_ROLE)

    @property
    def reader_dsn(self) -> str:
        """The reading role's DSN; its sessions have no other role to go back to."""
        return self._role_dsn(APP_ROLE)

    @property
    def admin_dsn(self) -> str:
        """The superuser's DSN: for what only it may do. The stack does not log in as it."""
        return _dsn(self._place, self._database, SUPERUSER, read_password(self._place))

    @property
    def postmaster_pid(self) -> int | None:
        """The pid of the running server; None when it is gone or a zombie."""
        return live_postmaster(self._place.cluster)

    def start(self, timeout_s: float = 300, on_progress: Report | None = None) -> str:
        """Return the DSN of the running server, starting it (and making its data) where needed.

        `timeout_s` bounds the whole call; recovery after a crash may take seconds.
        Raises SetupError that says what is lacking, with the last lines of the server's log.
        """
        deadline = time.monotonic() + timeout_s
        report = on_progress or _keep_silent
        try:
            self._make_asked()
            with _locked(self._asked / "lock", deadline):
                if not self._await_living(deadline, report):
                    self._start_server(deadline, report)
                self._make_database()
        except OSError as error:
            raise SetupError(f"cannot start PostgreSQL in {self._asked}: {error}") from error
        return self.dsn

    def stop(self, timeout_s: float = 60) -> bool:
        """Stop the server cleanly in fast mode, sessions are cut; tell whether one ran.

        Raises Unavailable if it still runs after `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        cluster = self._place.cluster
        if live_postmaster(cluster) is None:
            return False
        with _locked(self._asked / "lock", deadline):
            pid = live_postmaster(cluster)
            if pid is None:
                return False
            try:
                os.kill(pid, signal.SIGINT)
            except ProcessLookupError:
                return False
            while live_postmaster(cluster) is not None or server_processes(cluster):
                if time.monotonic() > deadline:
                    raise Unavailable(f"PostgreSQL {pid} did not stop within {timeout_s:.0f} s")
                time.sleep(_POLL_S)
        return True

    def ping(self, timeout_s: float = _PING_TIMEOUT_S) -> None:
        """Run a query; raises Unavailable if no server answers, SetupError if it refuses us."""
        _query(self._place, "postgres", timeout_s)

    def is_alive(self) -> bool:
        """Tell whether a query succeeds now."""
        try:
            self.ping()
        except (Unavailable, SetupError):
            return False
        return True

    @property
    def _place(self) -> Place:
        return Place(self.home)

    def _role_dsn(self, role: str) -> str:
        place = self._place
        read_password(place)  # tells a home without a cluster
        file = place.service_password if role == SERVICE_ROLE else place.reader_password
        return _dsn(place, self._database, role, role_password(file))

    def _make_asked(self) -> None:
        if not self._asked.exists():
            # Root's server runs as another user, who passes through; each part has its own mode.
            mode = 0o711 if os.geteuid() == 0 else 0o700
            self._asked.mkdir(parents=True, exist_ok=True)
            self._asked.chmod(mode)

    def _await_living(self, deadline: float, report: Report) -> bool:
        """Wait until a living server answers; False when none lives."""
        place = self._place
        if not place.cluster.exists():
            return False
        told = False
        while True:
            try:
                _query(place, "postgres", _PING_TIMEOUT_S)
            except Unavailable as error:
                if live_postmaster(place.cluster) is None:
                    return False
                if time.monotonic() > deadline:
                    raise SetupError(
                        f"PostgreSQL in {place.home} runs but does not answer ({error});\n"
                        f"its log says:\n{last_log_lines(place)}"
                    ) from error
            else:
                return True
            if not told:
                report("waiting for the running PostgreSQL to answer")
                told = True
            time.sleep(_POLL_S)

    def _start_server(self, deadline: float, report: Report) -> None:
        account = choose_account(self._place, self._server_user)
        place = Place(choose_home(self._asked, account, self._system_dir))
        programs = find_binaries(self._bin_dir, account, self._system_dir)
        make_dir(place.log, 0o700, account)
        make_dir(place.socket_dir, 0o700, account)
        clear_leftovers(place.cluster, place.socket_dir, deadline=deadline, grace_s=_ORPHAN_GRACE_S)
        if not place.cluster.exists():
            report("making the database cluster")
            make_cluster(place, account, programs, durable=self._durable)
        remember_home(self._asked, place.home)
        check_version(place, programs)
        config = render_config(
            self._settings, this_machine(), socket_dir=place.socket_dir, durable=self._durable
        )
        write_whole(place.config, config, mode=0o644)
        report("starting PostgreSQL")
        said = _pg_ctl_start(place, account, programs, deadline, report)
        if not self._await_living(deadline, report):
            raise SetupError(
                f"PostgreSQL in {place.home} did not start: {said}\nits log says:\n"
                f"{last_log_lines(place)}"
            )

    def _make_database(self) -> None:
        quoted = '"' + self._database.replace('"', '""') + '"'
        _query(
            self._place,
            "postgres",
            60.0,
            "SELECT 1 FROM pg_database WHERE datname = $1",
            self._database,
            otherwise=f"CREATE DATABASE {quoted}",
        )
        _query(self._place, self._database, 60.0, preparation(self._place))


def _dsn(place: Place, database: str, user: str, password: str) -> str:
    """Return the DSN of a database, which says all that asyncpg would ask the environment for.

    PGSSLMODE and the like are about the user's other servers.
    """
    where = quote(os.fsencode(place.socket_dir), safe="/")
    options = "sslmode=disable&sslnegotiation=postgres&target_session_attrs=any&gsslib=gssapi"
    name = quote(database, safe="")
    return (
        f"postgresql://{user}:{quote(password, safe='')}@/{name}?host={where}&port=5432&{options}"
    )


def _pg_ctl_start(
    place: Place, account: Account | None, programs: Path, deadline: float, report: Report
) -> str:
    """Start the postmaster and return what pg_ctl said; whether it lives is asked by query."""
    start_log = place.log / "start.log"
    if start_log.exists() and start_log.stat().st_size > _START_LOG_BYTES:
        start_log.unlink()
    wait_s = str(max(1, int(deadline - time.monotonic())))
    # Relative paths: pg_ctl hands them to a shell, and a directory's name may hold anything.
    command: list[str | Path] = [
        programs / "pg_ctl",
        "start",
        "-D",
        "cluster",
        "-l",
        "log/start.log",
        "-w",
        "-t",
        wait_s,
    ]
    process = spawn(account, command, cwd=place.home)
    try:
        while True:
            try:
                said, _ = process.communicate(timeout=_REPORT_EVERY_S)
            except subprocess.TimeoutExpired:
                report(last_log_lines(place, 1))
            else:
                return said.strip()
    except BaseException:
        # A server that is still starting has no pid file yet: whoever interrupted this could not
        # stop it.
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_INTERRUPTED_S)
        process.kill()  # pg_ctl only; the server is on its own by now
        process.communicate()
        raise


def _query(
    place: Place,
    database: str,
    timeout_s: float,
    statement: str = "SELECT 1",
    *values: object,
    otherwise: str | None = None,
) -> None:
    """Run `statement` as the superuser, and then `otherwise` if it returned no row.

    In a thread of its own: the caller's may be running an event loop.
    """
    dsn = _dsn(place, database, SUPERUSER, read_password(place))

    async def work() -> None:
        async with asyncio.timeout(timeout_s):
            connection = await asyncpg.connect(
                dsn,
                timeout=timeout_s,
                command_timeout=timeout_s,
                # Whatever the service may have made, the superuser calls no function of it.
                server_settings={"search_path": "pg_catalog"},
            )
            try:
                if await connection.fetchval(statement, *values) is None and otherwise:
                    await connection.execute(otherwise)
            finally:
                await connection.close(timeout=timeout_s)

    try:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pinak-postgres") as pool:
            pool.submit(asyncio.run, work()).result()
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise SetupError(f"PostgreSQL refuses the password in {place.password}: {error}") from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"PostgreSQL in {place.home} does not answer: {error!r}") from error


@contextmanager
def _locked(path: Path, deadline: float) -> Iterator[None]:
    """Hold the file lock that makes start and stop one at a time, over processes and threads."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SetupError(f"another start or stop holds {path}; wait for it") from None
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(handle)


def _keep_silent(_message: str) -> None:
    return
