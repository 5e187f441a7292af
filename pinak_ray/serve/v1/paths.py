"""Names in paths may hold a slash, sent as `%2F`: a server decodes it, and it would then split."""

from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator
from starlette.types import Scope

from pinak_ray.records.forms import ID_FORM, ITEM_KEY_FORM, NAME_FORM

__all__ = ["PathId", "PathKey", "PathName", "keep_slashes"]

PathName = Annotated[str, AfterValidator(unquote), NAME_FORM]
"""A path parameter as its caller meant it; undoes what `keep_slashes` left encoded."""
PathKey = Annotated[str, AfterValidator(unquote), ITEM_KEY_FORM]
PathId = Annotated[str, AfterValidator(unquote), ID_FORM]


def keep_slashes(scope: Scope) -> None:
    """Leave `%` and `/` inside a segment encoded in the path that is routed on.

    Without it, agent `a/working` and key `k` would be agent `a` and key `working/k`.
    """
    raw: bytes = scope.get("raw_path") or b""
    if b"%" not in raw:
        return
    sent = raw.decode("ascii", "replace")
    if unquote(sent) != scope["path"]:  # something before us has rewritten the path: leave it
        return
    segments = (unquote(part).replace("%", "%25").replace("/", "%2F") for part in sent.split("/"))
    scope["path"] = "/".join(segments)
