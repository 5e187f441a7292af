"""The HTTP application: routes over a Backend, with no Ray in sight."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from pinak_ray.serve.auth.keys import KeyCache
from pinak_ray.serve.backend import Backend
from pinak_ray.serve.context import AppContext, Deadlines
from pinak_ray.serve.middleware.body_limit import MAX_BODY_BYTES, BodyLimit
from pinak_ray.serve.middleware.boundary import Boundary
from pinak_ray.serve.middleware.request_limit import MAX_REQUESTS, MAX_WATCHERS, RequestLimit
from pinak_ray.serve.problems import answer_errors
from pinak_ray.serve.reference import serve_reference
from pinak_ray.serve.v1.models.base import Body
from pinak_ray.serve.v1.models.commands import COMMAND_BODIES
from pinak_ray.serve.v1.models.curation import CurateBody
from pinak_ray.serve.v1.models.learning import (
    PromoteBoardBody,
    PromotePadBody,
)
from pinak_ray.serve.v1.models.links import LinkBody
from pinak_ray.serve.v1.models.memories import RememberBatchBody, RememberBody, ReviseBody
from pinak_ray.serve.v1.models.recall import FeedbackBody, IntendBody, RecallBody
from pinak_ray.serve.v1.models.state import EntryBody, NoteBatchBody, NoteBody, PostBody
from pinak_ray.serve.v1.openapi import describe
from pinak_ray.serve.v1.routes import (
    asked,
    boards,
    commands,
    curation,
    health,
    learning,
    links,
    memories,
    nudges,
    recall,
    scratchpad,
    search_stats,
    stats,
    watch,
    working,
)
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["create_app"]

_MEBIBYTE = 1 << 20
# Every JSON text of a valid single item fits in 1 MiB; a batch has up to 256 of them, vectors too.
_BODY_LIMIT = _MEBIBYTE
_BATCH_LIMIT = 16 * _MEBIBYTE
_BATCH_PATH = "/v1/memories/batch"
_BODY_TIMEOUT_S = 30.0
_BODY_SILENCE_S = 10.0

_TAGS = [
    {"name": "memories", "description": "Long-term memories: store, read, revise and forget them."},
    {"name": "links", "description": "Link memories, and follow the links."},
    {"name": "recall", "description": "Search the memories."},
    {"name": "nudges", "description": "Before an action: what failed like this?"},
    {"name": "working memory", "description": "An agent's short-term items."},
    {"name": "scratchpad", "description": "An agent's record of the task at hand."},
    {"name": "boards", "description": "What a team shares."},
    {"name": "templates", "description": "Plans that worked, and how often they do."},
    {"name": "watch", "description": "Hear of entries as they are committed."},
    {"name": "curation", "description": "What is merged, archived and forgotten."},
    {"name": "service", "description": "Figures, health, metrics and keys."},
]


def create_app(
    backend: Backend,
    *,
    metrics: Metrics | None = None,
    deadlines: Deadlines | None = None,
    body_limit: int = _BODY_LIMIT,
    batch_limit: int = _BATCH_LIMIT,
    body_timeout_s: float = _BODY_TIMEOUT_S,
    body_silence_s: float = _BODY_SILENCE_S,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_requests: int = MAX_REQUESTS,
    max_watchers: int = MAX_WATCHERS,
    names_answers: bool = True,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """Return the application over this backend.

    The limits of bodies are in bytes; `max_requests` are answered at once beside `max_watchers`,
    while `max_body_bytes` of bodies are held, of each namespace a share; more hear Overloaded.
    `names_answers` puts `X-Request-Id` on each. The backend is first asked
    when the first request comes, so a `lifespan` may open it.
    """
    metrics = Metrics("gateway") if metrics is None else metrics
    app = FastAPI(
        title="pinak-ray",
        version=_version(),
        summary="The memory plane for agent swarms.",
        description="Every call needs a bearer token, which also names the namespace. Errors are "
        "problem documents (RFC 9457) with a stable `code`; bad input stores nothing. "
        "An `Idempotency-Key` is refused by writes that do not list it.",
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    keys = KeyCache(backend.public_keys)
    app.state.context = AppContext(backend, keys, metrics, deadlines or Deadlines())
    for module in (
        memories,
        links,
        recall,
        nudges,
        working,
        scratchpad,
        boards,
        commands,
        learning,
        asked,
        watch,
        curation,
        stats,
        search_stats,
        health,
    ):
        app.include_router(module.router)
    serve_reference(app)
    answer_errors(app)
    memory_bodies = (RememberBody, ReviseBody, RememberBatchBody, LinkBody)
    bodies = (*memory_bodies, RecallBody, IntendBody, FeedbackBody, CurateBody)
    state_bodies: tuple[type[Body], ...] = (
        NoteBody,
        NoteBatchBody,
        EntryBody,
        PostBody,
        PromoteBoardBody,
        PromotePadBody,
        *COMMAND_BODIES.values(),
        *asked.ASKED_BODIES,
    )
    describe(app, bodies=[*bodies, *state_bodies])
    # The one added last is the outermost.
    app.add_middleware(
        BodyLimit,
        limit=body_limit,
        larger={_BATCH_PATH: batch_limit},
        timeout_s=body_timeout_s,
        silence_s=body_silence_s,
        max_bytes=max_body_bytes,
    )
    app.add_middleware(
        RequestLimit,
        keys=keys,
        metrics=metrics,
        max_requests=max_requests,
        max_watchers=max_watchers,
    )
    app.add_middleware(Boundary, metrics=metrics, names_answers=names_answers)
    return app


def _version() -> str:
    try:
        return version("pinak-ray")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+checkout"
