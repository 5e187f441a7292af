"""Names in paths may hold a slash, sent as `%2F`: a server decodes it, and it would then split."""

from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send

from pinak_ray.records.forms import ID_FORM, ITEM_KEY_FORM, NAME_FORM

__all__ = ["PathId", "PathKey", "PathName", "SlashesKept", "routed_path"]

PathName = Annotated[str, AfterValidator(unquote), NAME_FORM]
"""A path parameter as its caller meant it; undoes what `routed_path` left encoded."""
PathKey = Annotated[str, AfterValidator(unquote), ITEM_KEY_FORM]
PathId = Annotated[str, AfterValidator(unquote), ID_FORM]


def routed_path(scope: Scope) -> str:
    """Return the path to route on: `%` and `/` inside a segment stay encoded.

    Otherwise, agent `a/working` and key `k` would be agent `a` and key `working/k`.
    """
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or b""
    if b"%" not in raw:
        return path
    sent = raw.decode("ascii", "replace")
    if unquote(sent) != path:  # something before us has rewritten the path: leave it
        return path
    segments = (unquote(part).replace("%", "%25").replace("/", "%2F") for part in sent.split("/"))
    return "/".join(segments)


class SlashesKept:
    """Has the application within route on that path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            scope["path"] = routed_path(scope)
        await self._app(scope, receive, send)
