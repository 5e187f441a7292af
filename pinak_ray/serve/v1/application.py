"""Version 1 of the HTTP interface, as an application; probes, metrics and keys among it."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pkgutil import iter_modules

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from pinak_ray.serve.context import AppContext
from pinak_ray.serve.protocol import HttpProtocol, answer_errors
from pinak_ray.serve.v1 import routes
from pinak_ray.serve.v1.openapi import describe
from pinak_ray.serve.v1.paths import SlashesKept
from pinak_ray.serve.v1.problems import answer_problem
from pinak_ray.serve.v1.reference import serve_reference
from pinak_ray.serve.v1.terms import declared_terms

__all__ = ["application", "version_one"]

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

_ROUTERS: list[APIRouter] = [
    import_module(module.name).router
    for module in iter_modules(routes.__path__, f"{routes.__name__}.")
]
_ROUTES = [route for each in _ROUTERS for route in each.routes if isinstance(route, APIRoute)]


def version_one(context: AppContext) -> HttpProtocol:
    """Return the protocol, which has all paths that no other one has."""
    return HttpProtocol(application(context), answer_problem, terms_of=declared_terms(_ROUTES))


def application(context: AppContext) -> FastAPI:
    """Return the application alone."""
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
    )
    app.state.context = context
    for router in _ROUTERS:
        app.include_router(router)
    serve_reference(app)
    answer_errors(app, answer_problem)
    describe(app, _ROUTES)
    app.add_middleware(SlashesKept)
    return app


def _version() -> str:
    try:
        return version("pinak-ray")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+checkout"
