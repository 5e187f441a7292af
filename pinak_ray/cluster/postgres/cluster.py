"""Make a cluster once, whole or not at all, and check that it fits the programs at hand."""

import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path

from pinak_ray.cluster.postgres.place import Account, Place, run
from pinak_ray.records.errors import SetupError
from pinak_ray.security.secret_files import read_secret

__all__ = [
    "SUPERUSER",
    "check_version",
    "last_log_lines",
    "make_cluster",
    "read_password",
    "write_whole",
]

SUPERUSER = "pinak"
_MAKING = "making-"
_INITDB_TIMEOUT_S = 300.0
_FIRST_BUILTIN_LOCALE = 17


def make_cluster(place: Place, account: Account | None, programs: Path, *, durable: bool) -> None:
    """Run initdb beside the final place and rename its result: a half-made one never counts.

    Raises SetupError with initdb's own words if it fails.
    """
    for leftover in place.home.glob(f"{_MAKING}*"):  # of a start that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=_MAKING, dir=place.home))
    try:
        for path in (work, _password_copy(place, work)):
            if account:
                os.chown(path, account.uid, account.gid)
        _initdb(place, account, programs, work, durable=durable)
        new = work / "cluster"
        with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude '../pinak.conf'\n")
            file.flush()
            os.fsync(file.fileno())
        new.rename(place.cluster)
        _sync_dir(place.home)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_version(place: Place, programs: Path) -> None:
    """Raise SetupError if the cluster was made by another major version than the programs'."""
    made_by = int((place.cluster / "PG_VERSION").read_text(encoding="utf-8"))
    major = _major_version(programs)
    if made_by != major:
        raise SetupError(
            f"the data in {place.cluster} was made by PostgreSQL {made_by}, but {programs} holds "
            f"PostgreSQL {major}: set PINAK_PG_BIN to the bin directory of a PostgreSQL {made_by}, "
            f"or convert the data with pg_upgrade, or name an empty data directory"
        )


def read_password(place: Place) -> str:
    """Return the superuser's password; raises SetupError if there is none to read."""
    try:
        return read_secret(place.password, otherwise="restore it from the backup of the data")
    except FileNotFoundError:
        if not place.cluster.exists():
            raise SetupError(f"no embedded PostgreSQL was started in {place.home} yet") from None
        raise SetupError(
            f"{place.password} is gone: restore it from the backup of the data"
        ) from None
    except OSError as error:
        raise SetupError(f"cannot read {place.password}: {error.strerror}") from error


def last_log_lines(place: Place, count: int = 15) -> str:
    """Return the end of the server's newest log, for a message."""
    logs = [path for path in place.log.glob("*.log") if path.is_file()]
    if not logs:
        return "(no log was written)"
    newest = max(logs, key=lambda path: path.stat().st_mtime_ns)
    with newest.open("rb") as file:
        file.seek(max(0, newest.stat().st_size - 16_384))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    return "\n".join(lines[-count:])


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Replace a file in one step, so that a reader or a crash sees the old or the new one."""
    making = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        # A path in the text stays the bytes that it is, whatever the locale.
        file.write(os.fsencode(text))
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    making.replace(path)


def _password_copy(place: Place, work: Path) -> Path:
    if not place.password.exists():
        write_whole(place.password, secrets.token_urlsafe(32) + "\n", mode=0o600)
    copy = work / "password"
    write_whole(copy, read_password(place) + "\n", mode=0o600)
    return copy


def _initdb(
    place: Place, account: Account | None, programs: Path, work: Path, *, durable: bool
) -> None:
    command: list[str | Path] = [
        programs / "initdb",
        "--pgdata=cluster",
        f"--username={SUPERUSER}",
        "--pwfile=password",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        "--lc-messages=C",
        "--no-instructions",
        "--locale=C.UTF-8",
    ]
    if _major_version(programs) >= _FIRST_BUILTIN_LOCALE:
        # The order of text then never changes with the C library, so no index goes stale.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if not durable:
        command.append("--no-sync")
    done = run(account, command, timeout_s=_INITDB_TIMEOUT_S, cwd=work)
    if done.returncode != 0:
        raise SetupError(f"initdb could not make a cluster in {place.home}:\n{done.stdout[-2000:]}")


def _major_version(programs: Path) -> int:
    said = run(None, [programs / "postgres", "--version"], timeout_s=30, cwd=Path("/")).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if not found:
        raise SetupError(f"{programs / 'postgres'} does not run here: {said.strip()[-500:]}")
    return int(found[1])


def _sync_dir(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
