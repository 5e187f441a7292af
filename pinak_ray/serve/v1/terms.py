"""What a route's requests may take up, said beside the route."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.types import Scope

from pinak_ray.serve.protocol import Terms
from pinak_ray.serve.v1.paths import routed_path

__all__ = ["declared_terms", "on_terms"]

E = TypeVar("E", bound=Callable[..., Any])

_ATTRIBUTE = "terms"
_USUAL = Terms()


def on_terms(terms: Terms) -> Callable[[E], E]:
    """Let the requests of this endpoint's path take up something else than is usual."""

    def declare(endpoint: E) -> E:
        vars(endpoint)[_ATTRIBUTE] = terms
        return endpoint

    return declare


def declared_terms(routes: Iterable[APIRoute]) -> Callable[[Scope], Terms]:
    """Return what tells a request's terms by its path: it is asked for each, before routing."""
    exact: dict[str, Terms] = {}
    forms: list[tuple[re.Pattern[str], Terms]] = []
    for route in routes:
        declared = vars(route.endpoint).get(_ATTRIBUTE)
        if declared is not None and "{" in route.path:
            forms.append((route.path_regex, declared))
        elif declared is not None:
            exact[route.path] = declared

    def terms_of(scope: Scope) -> Terms:
        path = routed_path(scope)
        if path in exact:
            return exact[path]
        return next((terms for form, terms in forms if form.match(path)), _USUAL)

    return terms_of
