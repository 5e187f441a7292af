"""Checks of what runs: Ray, every actor, the gateway, and files that outlived their process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pinak_ray import __version__
from pinak_ray.cli.console import said
from pinak_ray.cli.doctor.listeners import find_listeners, judge_listeners
from pinak_ray.cli.doctor.verdict import Check, ok, problem, warning
from pinak_ray.cli.local_stack import readiness
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import NotRunning

__all__ = ["check_running", "judge_gateway", "judge_parts", "judge_presence"]

_UP = "run `pinak-ray up`"
_RESTART = "run `pinak-ray down`, then `pinak-ray up`"


def check_running(settings: Settings) -> list[Check]:
    """Ask everything that runs; a stack that is not up is one warning."""
    node = RayNode(settings.home)
    try:
        stack = StackFile.read(settings.home)
    except NotRunning:
        stack = None
    head = node.pid()
    presence = judge_presence(stack, head)
    if stack is None or (head is None and stack.owns_ray):
        return [presence]
    code, text = (
        readiness(stack.url, settings.home) if stack.url else (None, "no gateway was announced")
    )
    checks = [presence, *_ask_parts(settings), judge_gateway(stack.url, code, text)]
    if not stack.owns_ray or not Path("/proc/net/tcp").exists():
        return checks
    outward: dict[int, str] = {}
    if stack.url and not (urlsplit(stack.url).hostname or "").startswith("127."):
        outward[urlsplit(stack.url).port or 80] = "gateway"
    return [*checks, *judge_listeners(find_listeners(str(node.temporary.parent)), outward=outward)]


def judge_presence(stack: StackFile | None, head: int | None) -> Check:
    """Judge whether the files and the processes agree that a stack runs."""
    if stack is None and head is None:
        return warning("stack", "not running", _UP)
    if stack is None:
        text = f"a start broke off half way: Ray runs (pid {head}), and no stack was announced"
        return problem("stack", text, "run `pinak-ray up` to finish it, or `pinak-ray down`")
    if head is None and stack.owns_ray:
        text = "stack.json is stale: it names a Ray head that is gone"
        return problem("stack", text, _UP)
    if stack.version != __version__:
        text = f"the stack runs {stack.version}, and this is {__version__}"
        return warning("stack", text, _RESTART)
    whose = f"pid {head}" if stack.owns_ray else "a cluster of yours"
    return ok("stack", f"Ray at {stack.ray_address}, {whose}")


def judge_parts(parts: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    """Judge every actor's answer."""
    silent = [
        problem(name, str(part["error"]), f"{_UP}; if it stays, {_RESTART.removeprefix('run ')}")
        for name, part in parts.items()
        if "error" in part
    ]
    aside = [
        warning(
            name,
            f"the model refused the text of {part['set_aside']} memories",
            "`pinak-ray status` says why; they are tried again by themselves, or now by "
            "`pinak-ray models retry`",
        )
        for name, part in parts.items()
        if part.get("set_aside")
    ]
    aside += [
        problem(
            name,
            f"cannot embed: {part['embedding_error']}",
            "words answer meanwhile, and what is stored waits; see PINAK_EMBEDDING_* in "
            "docs/reference/configuration.md",
        )
        for name, part in parts.items()
        if "embedding_error" in part
    ]
    aside += [
        warning(
            name,
            f"cannot rerank: {part['rerank_error']}",
            "hits keep their own order meanwhile; see PINAK_RERANK_* in "
            "docs/reference/configuration.md",
        )
        for name, part in parts.items()
        if "rerank_error" in part
    ]
    answering = len(parts) - len(silent)
    first = [ok("actors", f"{answering} parts answer")] if not silent else []
    return [*first, *_models(parts), *silent, *aside]


def _models(parts: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    """Say which models are in use: several, while parts follow a switch."""
    embed, rerank = (
        sorted({str(part[name]) for part in parts.values() if name in part})
        for name in ("model", "reranker")
    )
    if not embed:
        return []
    text = f"{' and '.join(embed)} embeds, {' and '.join(rerank) or 'nothing'} reranks"
    return [ok("models", text)]


def judge_gateway(url: str | None, code: int | None, text: str) -> Check:
    """Judge what the gateway says of its readiness."""
    if code == 200:
        return ok("gateway", f"{url} is ready")
    if code is None:
        return problem("gateway", f"{url} does not answer: {text}", _UP)
    return problem("gateway", f"{url}/readyz answers {code}: {text[:300]}", _UP)


def _ask_parts(settings: Settings) -> list[Check]:
    import ray

    from pinak_ray.cluster.stack import health

    try:
        return judge_parts(health(settings))
    except (NotRunning, ray.exceptions.RayError, ValueError, TimeoutError) as error:
        return [problem("actors", f"Ray runs, but does not answer: {said(error)}", _RESTART)]
