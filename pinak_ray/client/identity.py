"""Is what answers at a home's port the home's own stack? Its keys say so.

Ports are used again: after a crash another stack may answer where ours did, and would be sent our
tokens and texts. A gateway publishes its keys' ids, and the home holds the keys.
"""

from collections.abc import Iterable
from pathlib import Path

import httpx

from pinak_ray.records.errors import NotRunning

__all__ = ["check_own", "key_ids"]

_TIMEOUT_S = 5.0


def key_ids(home: Path) -> frozenset[str]:
    """Return the ids of the home's keys, from their files' names."""
    return frozenset(path.name.split(".")[1] for path in (home / "keys").glob("*.*.pem"))


def check_own(url: str, home: Path) -> None:
    """Return when the home's own stack answers at `url`; raises NotRunning that says what does."""
    try:
        answer = httpx.get(
            f"{url}/.well-known/jwks.json", timeout=_TIMEOUT_S, trust_env=False,
            verify=not url.startswith("http://"),
        )  # fmt: skip
    except httpx.HTTPError as error:
        raise NotRunning(
            f"no gateway answers at {url} ({str(error) or type(error).__name__}); run "
            "`pinak-ray up`"
        ) from error
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise NotRunning(f"the gateway at {url} has no replica that answers; run `pinak-ray up`")
    if not key_ids(home) & frozenset(_published(answer)):
        raise NotRunning(
            f"another stack answers on the port of this home's ({url}, home {home}): nothing was "
            "sent to it; stop it, or run `pinak-ray up` with another --http-port"
        )


def _published(answer: httpx.Response) -> Iterable[str]:
    try:
        return [str(key["kid"]) for key in answer.json()["keys"]]
    except (ValueError, KeyError, TypeError):
        return []
