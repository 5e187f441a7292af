"""A home's token for Ray: without it nobody joins the home's cluster."""

import secrets
from pathlib import Path

from pinak_ray.client.discovery import StackFile
from pinak_ray.records.errors import NotRunning
from pinak_ray.security.secret_files import make_secret, read_secret

__all__ = ["make_ray_token", "ray_token_environment", "stack_token_environment"]


def make_ray_token(home: Path) -> None:
    """Make the home's token for Ray on first start, for its owner alone."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "ray_token"
    if not path.exists():
        make_secret(path, secrets.token_hex(32))


def ray_token_environment(home: Path) -> dict[str, str]:
    """Return the variables that make Ray ask for this home's token, and send it.

    They are set always and explicitly: left alone, Ray turns the check on in some ways of starting
    and off in others. Raises NotRunning where there is none, SetupError where it is none.
    """
    path = home / "ray_token"
    try:
        read_secret(path, otherwise=f"run `pinak-ray down`, remove {path}, and run `pinak-ray up`")
    except FileNotFoundError:
        raise NotRunning(f"no stack runs in {home}; start one with `pinak-ray up`") from None
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}


def stack_token_environment(stack: StackFile, home: Path) -> dict[str, str]:
    """Return the same for a running stack; nothing where its cluster is somebody else's.

    There the user's own RAY_AUTH_MODE and token hold.
    """
    return ray_token_environment(home) if stack.owns_ray else {}
