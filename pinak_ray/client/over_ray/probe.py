"""Ask a Ray cluster whether it lives, before joining it: Ray itself asks a dead one for minutes."""

import os
from collections.abc import Mapping
from pathlib import Path

import grpc  # type: ignore[import-untyped]

from pinak_ray.records.errors import NotRunning

__all__ = ["probe_ray"]

# A starved machine may take seconds; nobody there, or somebody else, is heard at once.
_TIMEOUT_S = 10.0
_CHECK = "/ray.rpc.NodeInfoGcsService/CheckAlive"


def probe_ray(address: str, environment: Mapping[str, str]) -> None:
    """Return when the cluster answers and takes our token; raises NotRunning that says what not.

    `environment` says where the token is, as in `join_ray`.
    """
    if "://" in address or ":" not in address or os.environ.get("RAY_USE_TLS") == "1":
        return  # Ray Client, `auto`, or certificates: Ray's own way in
    told = {**os.environ, **environment}
    token = told.get("RAY_AUTH_TOKEN") or _read(told.get("RAY_AUTH_TOKEN_PATH"))
    # The user's proxies are not asked: Ray does not ask them either.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            channel.unary_unary(_CHECK)(
                b"", timeout=_TIMEOUT_S, metadata=[("authorization", f"Bearer {token}")]
            )
        except grpc.RpcError as error:
            raise _not_ours(address, error) from error


def _not_ours(address: str, error: grpc.RpcError) -> NotRunning:
    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
        return NotRunning(
            f"another Ray answers at {address}, it does not know this stack's token; run "
            "`pinak-ray up`"
        )
    return NotRunning(f"no Ray cluster answers at {address}; run `pinak-ray up`")


def _read(path: str | None) -> str:
    return Path(path).read_text(encoding="ascii").strip() if path else ""
