"""Where a running stack is written down: one small file that `up` writes and `connect` reads."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from pinak_ray.records.errors import NotRunning

__all__ = ["ClientSettings", "StackFile", "ray_token_environment"]


class ClientSettings(BaseSettings):
    """What `connect` takes from the environment when it is not told."""

    model_config = SettingsConfigDict(env_prefix="PINAK_", extra="ignore")

    home: Path = Path.home() / ".pinak-ray"
    url: str | None = None
    token: str | None = None
    tenant: str = "default"
    project: str = "default"


@dataclass(frozen=True, slots=True)
class StackFile:
    """The running stack of one home directory. Holds no secret."""

    ray_address: str
    url: str | None
    version: str

    @staticmethod
    def path(home: Path) -> Path:
        """Return where the file lies."""
        return home / "stack.json"

    @classmethod
    def read(cls, home: Path) -> "StackFile":
        """Return the running stack's file; raises NotRunning when there is none."""
        try:
            raw = json.loads(cls.path(home).read_text(encoding="utf-8"))
            return cls(raw["ray_address"], raw["url"], raw["version"])
        except FileNotFoundError:
            raise NotRunning(f"no stack runs in {home}; start one with `pinak-ray up`") from None
        except (ValueError, KeyError) as error:
            raise NotRunning(f"{cls.path(home)} is damaged; run `pinak-ray up` again") from error

    def write(self, home: Path) -> None:
        """Write the file in one step, so that a reader never sees half of it."""
        temporary = self.path(home).with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.path(home))

    @classmethod
    def remove(cls, home: Path) -> None:
        """Forget the stack."""
        cls.path(home).unlink(missing_ok=True)


def ray_token_environment(home: Path, *, create: bool = False) -> dict[str, str]:
    """Return the variables that make Ray ask for this home's token, and send it.

    They are set always and explicitly: left alone, Ray turns the check on in some ways of starting
    and off in others. `create` makes the token (mode 0600) on first start.
    """
    path = home / "ray_token"
    if create and not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    if not path.exists():
        raise NotRunning(f"no stack runs in {home}; start one with `pinak-ray up`")
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}
