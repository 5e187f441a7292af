"""The embedded server keeps its promises against kill -9, races, zombies and root."""

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from pinak_ray.cluster.postgres.config import Machine, ServerSettings, render_config
from pinak_ray.cluster.postgres.place import Account, Place, choose_account, find_binaries
from pinak_ray.cluster.postgres.process import server_processes
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.records.errors import SetupError, Unavailable
from tests.support.places import reachable_place

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[3]
IS_ROOT = os.geteuid() == 0
SMALL = ServerSettings(shared_buffers_mb=32, max_connections=20)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's own user can enter; pytest's are closed to it under root."""
    path = reachable_place()
    try:
        yield path
    finally:
        for cluster in path.rglob("cluster"):
            for pid in server_processes(cluster):
                kill(pid)
            await_end(cluster)
        shutil.rmtree(path)


@pytest.fixture
def server(place: Path) -> EmbeddedPostgres:
    """A server that was not started yet; quick, not durable."""
    return EmbeddedPostgres(place / "data", durable=False, settings=SMALL)


def test_data_survives_a_stop_and_a_start(server: EmbeddedPostgres) -> None:
    """What was written before a stop is there after the next start, under the same DSN."""
    first = server.start()
    execute(first, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    server.stop()
    assert server.is_alive() is False
    assert server.start() == first
    assert fetch(first, "SELECT n FROM kept") == 7


def test_a_stop_is_clean_and_a_second_one_does_nothing(server: EmbeddedPostgres) -> None:
    """A stop shuts the database down in order, so that no recovery follows; again is a no-op."""
    server.stop()
    with server:
        assert server.is_alive() is True
    assert "database system is shut down" in log_of(server)
    assert server.postmaster_pid is None
    server.stop()


def test_another_process_finds_the_running_server(server: EmbeddedPostgres) -> None:
    """A start elsewhere returns the same DSN and leaves the running postmaster alone."""
    dsn = server.start()
    assert finish(start_elsewhere(server)) == [dsn, str(server.postmaster_pid)]


def test_two_starts_at_once_make_one_server(server: EmbeddedPostgres) -> None:
    """Processes that race for the first start end with one cluster and one postmaster."""
    racing = [start_elsewhere(server) for _ in range(2)]
    one, other = (finish(process) for process in racing)
    assert one == other
    assert one == [server.dsn, str(server.postmaster_pid)]


def test_committed_rows_survive_kill_9_of_every_process(place: Path) -> None:
    """A durable server that loses all its processes at once comes back with each committed row."""
    server = EmbeddedPostgres(place / "data", settings=SMALL)
    dsn = server.start()
    execute(dsn, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    for pid in server_processes(server.home / "cluster"):
        kill(pid)
    assert server.is_alive() is False
    assert server.start() == dsn
    assert fetch(dsn, "SELECT count(*) FROM kept") == 1000
    assert fetch(dsn, "SHOW fsync") == "on"
    assert fetch(dsn, "SHOW data_checksums") == "on"


def test_a_busy_orphan_does_not_stop_a_restart(server: EmbeddedPostgres) -> None:
    """A backend that outlives its postmaster is ended, and the next start succeeds."""
    dsn = server.start()
    backend = server_processes(server.home / "cluster")[-1]
    os.kill(backend, signal.SIGSTOP)
    kill(server.postmaster_pid)
    assert server.start() == dsn
    assert backend not in server_processes(server.home / "cluster")


def test_a_zombie_postmaster_counts_as_dead(server: EmbeddedPostgres) -> None:
    """A killed postmaster that nobody has reaped is dead to us, and a start replaces it."""
    set_subreaper = ctypes.CDLL(None).prctl
    set_subreaper(36, 1, 0, 0, 0)
    try:
        dsn = server.start()
        zombie = server.postmaster_pid
        assert zombie is not None
        kill(zombie)
        await_condition(lambda: state_of(zombie) == "Z")
        assert server.postmaster_pid is None
        assert server.is_alive() is False
        assert server.start() == dsn
        assert server.postmaster_pid != zombie
        assert state_of(zombie) == "Z"
        server.stop()
    finally:
        set_subreaper(36, 0, 0, 0, 0)
        reap_children()


def test_a_pid_file_that_names_a_stranger_is_no_server(server: EmbeddedPostgres) -> None:
    """A reused process number in the pid file neither counts as alive nor blocks a start."""
    server.start()
    pid_file = server.home / "cluster" / "postmaster.pid"
    text = pid_file.read_text()
    for pid in server_processes(server.home / "cluster"):
        kill(pid)
    pid_file.write_text(text.replace(text.splitlines()[0], str(os.getppid()), 1))
    assert server.postmaster_pid is None
    server.stop()
    server.start()
    assert server.is_alive() is True


def test_a_killed_initdb_is_recovered(server: EmbeddedPostgres, place: Path) -> None:
    """A first start that dies in the middle of initdb leaves nothing that the next one trips on."""
    programs = place / "bin"
    programs.mkdir(mode=0o755)
    account = choose_account(Place(place), "pinak")
    for program in find_binaries(None, account, place / "system").iterdir():
        (programs / program.name).symlink_to(program)
    (programs / "initdb").unlink()
    half = "#!/bin/sh\nmkdir cluster\necho 18 > cluster/PG_VERSION\necho $$ > pid\nexec sleep 60\n"
    (programs / "initdb").write_text(half)
    (programs / "initdb").chmod(0o755)
    dying = start_elsewhere(server, bin_dir=programs)
    await_condition(lambda: any(read(path) for path in server.home.glob("making-*/pid")))
    initdb = next(server.home.glob("making-*/pid"))
    dying.kill()
    kill(int(read(initdb)))
    dying.communicate(timeout=30)
    assert initdb.with_name("cluster").is_dir()
    server.start()
    assert server.is_alive() is True
    assert list(server.home.glob("making-*")) == []


def test_only_the_owner_reaches_the_socket_and_nobody_by_tcp(server: EmbeddedPostgres) -> None:
    """The server listens on one unix socket in a directory of mode 0700, and on no port."""
    dsn = server.start()
    directory = Place(server.home).socket_dir
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / ".s.PGSQL.5432").stat().st_mode) == 0o700
    assert stat.S_IMODE((server.home / "password").stat().st_mode) == 0o600
    assert fetch(dsn, "SHOW listen_addresses") == ""
    inodes = {
        str(fd.readlink())
        for pid in server_processes(server.home / "cluster")
        for fd in Path(f"/proc/{pid}/fd").iterdir()
    }
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            assert f"socket:[{line.split()[9]}]" not in inodes


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    """The socket alone lets nobody in, and a password file that does not fit is said plainly."""
    server.start()
    dsn = server.admin_dsn
    password = (server.home / "password").read_text().strip()
    assert password in dsn
    assert password not in server.dsn + server.reader_dsn
    assert password not in repr(server)
    with pytest.raises(asyncpg.InvalidPasswordError):
        fetch(dsn.replace(password, "guess"), "SELECT 1")
    (server.home / "password").write_text("guess" * 8 + "\n")
    with pytest.raises(SetupError, match="refuses the password"):
        server.ping()


def test_another_major_version_says_what_to_do(server: EmbeddedPostgres) -> None:
    """Data of another major version is left alone, and the message names the ways out."""
    server.start()
    server.stop()
    (server.home / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(SetupError, match=r"made by PostgreSQL 16.*PINAK_PG_BIN"):
        server.start()


def test_a_failing_start_shows_the_log(place: Path) -> None:
    """When the server does not come up, the error carries the server's own last words."""
    broken = replace(SMALL, extra={"shared_preload_libraries": "no_such_library"})
    server = EmbeddedPostgres(place / "data", durable=False, settings=broken)
    with pytest.raises(SetupError, match="no_such_library"):
        server.start()
    with pytest.raises(Unavailable):
        server.ping()
    assert EmbeddedPostgres(place / "data", durable=False, settings=SMALL).start()


def test_nothing_is_known_before_the_first_start(server: EmbeddedPostgres) -> None:
    """Asking about a server that never was is no error but for its DSN, and makes no file."""
    assert server.is_alive() is False
    assert server.postmaster_pid is None
    with pytest.raises(SetupError, match="no embedded PostgreSQL was started"):
        _ = server.dsn
    assert not server.home.exists()


def test_a_long_path_and_odd_characters_are_no_hindrance(place: Path) -> None:
    """A data directory too long for a socket's path, with a shell's characters, works."""
    odd = place / ("$(touch x) \"quoted\" 'and' " + "long" * 25)
    server = EmbeddedPostgres(odd, durable=False, settings=SMALL)
    directory = Place(server.home).socket_dir
    try:
        assert fetch(server.start(), "SELECT 1") == 1
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def test_a_socket_directory_of_somebody_else_is_refused(place: Path) -> None:
    """A short socket directory that another user has made first is never used."""
    server = EmbeddedPostgres(place / ("long" * 30), durable=False, settings=SMALL)
    directory = Place(server.home).socket_dir
    directory.symlink_to(place)
    try:
        with pytest.raises(SetupError, match="move it aside"):
            server.start()
    finally:
        directory.unlink()


async def test_it_may_be_called_inside_an_event_loop(server: EmbeddedPostgres) -> None:
    """The blocking calls work in a thread that runs a loop, and in one handed to `to_thread`."""
    dsn = await asyncio.to_thread(server.start)
    assert server.start() == dsn
    assert await asyncio.to_thread(server.is_alive) is True


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
def test_a_normal_user_starts_it_as_himself(place: Path) -> None:
    """Without root no user is switched: the server and its files belong to who started it."""
    nobody = pwd.getpwnam("nobody")
    home = place / "nobody"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    # The interpreter itself may lie where nobody cannot look, so all is imported before.
    become = f"os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid})"
    programs = find_binaries(None, Account("nobody", nobody.pw_uid, nobody.pw_gid), place / "s")
    server = EmbeddedPostgres(home / "data", durable=False)
    dsn, pid = finish(start_elsewhere(server, before=become, bin_dir=programs))
    assert fetch(dsn, "SELECT 1") == 1
    assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid
    assert {path.stat().st_uid for path in (home / "data").iterdir()} == {nobody.pw_uid}
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="only root needs another user")
def test_root_in_a_private_home_works_and_opens_nothing(tmp_path: Path, place: Path) -> None:
    """Data and programs that the server's user cannot enter are placed where it can."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    programs = copy_programs(find_binaries(None, None, place), private)

    def place_server() -> EmbeddedPostgres:
        return EmbeddedPostgres(
            private / "data",
            durable=False,
            settings=SMALL,
            bin_dir=programs,
            system_dir=place / "system",
        )

    server = place_server()
    dsn = server.start()
    assert fetch(dsn, "SELECT 1") == 1
    assert server.home.parent == place / "system"
    assert str(server.home) in (private / "data" / "moved-to").read_text()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert Path(f"/proc/{server.postmaster_pid}/exe").readlink().is_relative_to(place / "system")
    again = place_server()
    assert again.start() == dsn
    again.stop()
    assert server.is_alive() is False


def test_the_settings_fit_the_machine() -> None:
    """Shared buffers are a bounded quarter of the memory, and a small /dev/shm is not relied on."""
    big = Machine(cores=8, memory_mb=65_536, shared_memory_mb=32_768)
    text = render_config(ServerSettings(), big, socket_dir=Path("/run/it's"), durable=True)
    assert "shared_buffers = '8192MB'" in text
    assert "max_parallel_maintenance_workers = '7'" in text
    assert "fsync = 'on'" in text
    assert "unix_socket_directories = '\"/run/it''s\"'" in text
    assert "dynamic_shared_memory_type" not in text
    tiny = Machine(cores=1, memory_mb=512, shared_memory_mb=64)
    text = render_config(ServerSettings(), tiny, socket_dir=Path("/run"), durable=False)
    assert "shared_buffers = '256MB'" in text
    assert "dynamic_shared_memory_type = 'sysv'" in text
    assert "fsync = 'off'" in text


def start_elsewhere(
    server: EmbeddedPostgres, *, before: str = "pass", bin_dir: Path | None = None
) -> "subprocess.Popen[str]":
    """Start the same server from a process of its own, which prints the DSN and the pid."""
    code = f"""
    import asyncio, os, sys
    from pathlib import Path
    import asyncpg
    from pinak_ray.cluster.postgres.server import EmbeddedPostgres
    from pinak_ray.cluster.postgres.config import ServerSettings
    asyncio.run(asyncio.sleep(0))
    {before}
    settings = ServerSettings(shared_buffers_mb=32, max_connections=20)
    bin_dir = {str(bin_dir or "")!r}
    server = EmbeddedPostgres(
        Path({str(server._asked)!r}),
        durable=False,
        settings=settings,
        bin_dir=Path(bin_dir) if bin_dir else None,
    )
    print(server.start())
    print(server.postmaster_pid)
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> list[str]:
    """Return the lines that the process printed; it must succeed."""
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return printed.splitlines()


def copy_programs(programs: Path, target: Path) -> Path:
    """Copy the wheel's programs and their libraries into a directory of the test's."""
    package = programs.parent.parent
    copy = target / package.name
    skip = shutil.ignore_patterns("pginstall", "include", "*.a")
    shutil.copytree(package, copy, symlinks=True, ignore=skip)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return copy / programs.relative_to(package)


def log_of(server: EmbeddedPostgres) -> str:
    """Return all that the server has logged."""
    return "\n".join(path.read_text() for path in (server.home / "log").glob("*.log"))


def execute(dsn: str, statement: str) -> None:
    """Run statements over a connection of their own."""
    fetch(dsn, statement, rows=False)


def fetch(dsn: str, statement: str, *, rows: bool = True) -> object:
    """Return the first value of a query over a connection of its own."""

    async def work() -> object:
        connection = await asyncpg.connect(dsn, timeout=60)
        try:
            if rows:
                return await connection.fetchval(statement)
            return await connection.execute(statement)
        finally:
            await connection.close(timeout=60)

    return asyncio.run(work())


def read(path: Path) -> str:
    """Return the file's text, empty if it is not there."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def kill(pid: int | None) -> None:
    """Kill -9 a process that may be gone."""
    assert pid is not None
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def state_of(pid: int) -> str:
    """Return the process's state letter, `Z` for a zombie."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def await_end(cluster: Path) -> None:
    """Wait until no server process of the cluster lives."""
    await_condition(lambda: not server_processes(cluster))


def reap_children() -> None:
    """Collect every zombie that this process was given."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def await_condition(holds: Callable[[], bool], timeout_s: float = 60) -> None:
    """Poll until the condition holds; fail at the deadline."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)
