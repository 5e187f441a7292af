"""Where a running stack is written down: one small file that `up` writes and `connect` reads."""

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pinak_ray.records.errors import NotRunning, SetupError

__all__ = ["ClientSettings", "StackFile", "user_path", "usual_home"]

_ADDRESS = re.compile(r"\[?[\w.:-]+\]?:\d{1,5}")


def user_path(path: str | Path) -> Path:
    """Return a user's path in full: `~` means what it means in a shell, whoever expands it."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise SetupError(f"{path}: {error}; write the path in full") from None


def usual_home() -> Path:
    """Return ~/.pinak-ray; raises SetupError where the user has no home directory."""
    try:
        return Path.home() / ".pinak-ray"
    except RuntimeError:
        raise SetupError(
            "this user has no home directory; set PINAK_HOME to a directory for the stack's state"
        ) from None


def _variable(name: str, otherwise: str | None = None) -> Any:
    return field(default_factory=lambda: os.environ.get(f"PINAK_{name}", otherwise))


def _home() -> Path:
    given = os.environ.get("PINAK_HOME")
    return usual_home() if given is None else user_path(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What `connect` takes from the environment when it is not told, as PINAK_HOME and so on.

    Not one of pydantic's: importing that library for settings takes longer than all else here.
    """

    home: Path = field(default_factory=_home)
    url: str | None = _variable("URL")
    token: str | None = _variable("TOKEN")
    tenant: str = _variable("TENANT", "default")
    project: str = _variable("PROJECT", "default")


@dataclass(frozen=True, slots=True)
class StackFile:
    """The running stack of one home directory. Holds no secret."""

    ray_address: str
    url: str | None
    version: str
    owns_ray: bool = True
    """Whether the Ray cluster is the stack's own, and is stopped with it."""
    owns_serve: bool = True

    @staticmethod
    def path(home: Path) -> Path:
        """Return where the file lies."""
        return home / "stack.json"

    @classmethod
    def read(cls, home: Path) -> "StackFile":
        """Return the running stack's file; raises NotRunning when there is none, or it is none."""
        path = cls.path(home)
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            owns = (bool(raw.get(name, True)) for name in ("owns_ray", "owns_serve"))
            stack = cls(raw["ray_address"], raw["url"], raw["version"], *owns)
        except FileNotFoundError:
            raise NotRunning(f"no stack runs in {home}; start one with `pinak-ray up`") from None
        except OSError as error:
            raise NotRunning(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RecursionError):
            stack = None
        if stack is None or not _is_whole(stack):
            raise NotRunning(f"{path} is damaged; run `pinak-ray up` again")
        return stack

    def write(self, home: Path) -> None:
        """Write the file in one step, so that a reader never sees half of it."""
        temporary = self.path(home).with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.path(home))

    @classmethod
    def remove(cls, home: Path) -> None:
        """Forget the stack."""
        cls.path(home).unlink(missing_ok=True)


def _is_whole(stack: StackFile) -> bool:
    return (
        isinstance(stack.version, str)
        and isinstance(stack.ray_address, str)
        and _ADDRESS.fullmatch(stack.ray_address) is not None
        and (stack.url is None or _is_url(stack.url))
    )


def _is_url(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
