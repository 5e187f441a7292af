"""What HAProxy's file must say that no setting of Serve's does: an edit of it, and answers."""

import resource
from collections.abc import Mapping
from pathlib import Path

import orjson

from pinak_ray.client.over_ray.session import LOOPBACK
from pinak_ray.serve.v1.problems import MEDIA_TYPE, problem_body

__all__ = ["edit_of_file", "most_connections", "own_answers"]

# A head has this long to come: a caller may take an hour over it otherwise.
_HEAD_S = 10
# Longer than httpx, Node and most others keep a connection, so that it is they who close it.
_IDLE_S = 6
# For a body's next byte, or for the caller to take some of its answer. What waits for us is not
# counted: watches last for 20 s, and a stream of events has a heartbeat each 10 s.
_SILENT_S = 40
# Above all places of two gateways; each takes 33 KB while it is busy. With the pipes between its
# two ends each takes two and a half descriptors, and where they do not suffice HAProxy ends.
_CONNECTIONS = 10_000
_OTHER_DESCRIPTORS = 512

# Ids that are safe in a log line, a header and a relative URI reference, as
# `serve/middleware/boundary.py` takes them: it, Serve and HAProxy must agree, or an answer has
# another id than its log lines.
_NO_ID = r"[^A-Za-z0-9._-]|^$|^.{129}"
# What steers Serve, which nobody outside may; two of them are a 500 where they are not UTF-8.
_STEERING = (
    "^(serve[-_]multiplexed[-_]model[-_]id|x[-_]session[-_]id|x-request-timeout-seconds|"
    "x-request-disconnect-disabled)$"
)

_RULES = (
    f"http-request del-header {_STEERING} -m reg",
    "http-request del-header x-request-id if { req.fhdr_cnt(x-request-id) gt 1 }",
    f"http-request del-header x-request-id if {{ req.fhdr(x-request-id) -m reg '{_NO_ID}' }}",
)

# - the statistics and metrics are bound to every interface: to loopback instead;
# - each request's path and query would be sent to whoever listens for logs on this machine;
# - idle and silent connections would be held for minutes and hours, until there is no other left;
# - what HAProxy answers by itself would be HTML or plain text, also "no gateway yet", a 404.
_EDIT = r"""s/^( *bind )(\*|):/\1{loopback}:/
/^ *log .* local[01] /d
/^ *errorfile /d
s/^( *timeout http-keep-alive ).*/\1{idle_s}s/
s|^( *)timeout client .*|\1timeout client {silent_s}s{lines}|
s/^( *http-request return status )404 .*/\1503 default-errorfiles/
s/^frontend http_frontend$/&{rules}/
"""

# By the status that HAProxy would give: the status, code and detail of ours. A gateway that died
# over a request is no other fault than one that is not there. A head that it cannot read HAProxy
# answers in HTML all the same: those texts are compiled into it (decision 0043).
_ANSWERS: Mapping[int, tuple[str, str, str]] = {
    400: ("400 Bad Request", "malformed", "this is not HTTP as we understand it"),
    408: ("408 Request Timeout", "request_timeout", "the request took too long"),
    413: ("413 Content Too Large", "too_large", "the request is too long"),
    500: ("500 Internal Server Error", "internal", "an unexpected error of the front door"),
    501: ("501 Not Implemented", "malformed", "this transfer encoding is not known"),
}
_UNAVAILABLE = ("503 Service Unavailable", "unavailable", "no gateway answers; try again")


def own_answers() -> dict[int, bytes]:
    """Return the whole answers that HAProxy gives by itself, by status; they have no request id."""
    said = {**_ANSWERS, **dict.fromkeys((502, 503, 504), _UNAVAILABLE)}
    return {status: _answer(*parts) for status, parts in said.items()}


def _answer(line: str, code: str, detail: str) -> bytes:
    status = int(line.split()[0])
    body = orjson.dumps(problem_body(status, code, detail, instance=""))
    head = [
        f"HTTP/1.1 {line}",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        *(["Retry-After: 1"] if status == 503 else []),
        "Connection: close",
    ]
    return "\r\n".join((*head, "", "")).encode("ascii") + body


def edit_of_file(answers: Mapping[int, Path]) -> str:
    """Return the `sed` script that makes Serve's file ours; `answers` are files by status."""
    lines = [f"timeout http-request {_HEAD_S}s", f"timeout http-keep-alive {_IDLE_S}s"]
    lines += [f"errorfile {status} {path}" for status, path in answers.items()]
    return _EDIT.format(
        loopback=LOOPBACK,
        idle_s=_IDLE_S,
        silent_s=_SILENT_S,
        lines="".join(f"\\n\\1{line}" for line in lines),
        rules="".join(f"\\n    {_escaped(rule)}" for rule in _RULES),
    )


def _escaped(rule: str) -> str:
    """Return a line as it stands in the replacement of a `sed` command."""
    return rule.replace("\\", r"\\").replace("&", r"\&").replace("/", r"\/")


def most_connections() -> int:
    """Return how many connections HAProxy may hold, with the descriptors that it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(100, min(_CONNECTIONS, (hard - _OTHER_DESCRIPTORS) * 2 // 5))
