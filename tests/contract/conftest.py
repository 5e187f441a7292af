"""One namespace at a time, over each wire and in the twin."""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from pinak_ray import Swarm, connect
from pinak_ray.embedding.endpoint.rerank import RerankEndpoint, RerankSpec
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security import Scope
from pinak_ray.testing import LocalSwarm
from tests.support.wires import over_http

_STACK = [pytest.mark.ray, pytest.mark.postgres]


@pytest.fixture
def namespace() -> NamespaceKey:
    """A namespace that nobody has used."""
    return NamespaceKey("acme", f"contract/ü-{uuid4().hex}")


@pytest.fixture(
    params=["twin", pytest.param("ray", marks=_STACK), pytest.param("http", marks=_STACK)]
)
def connected(request: pytest.FixtureRequest, namespace: NamespaceKey) -> Swarm:
    """A fresh namespace; only the wires start the stack, `-k twin` needs none."""
    if request.param == "twin":
        server = request.getfixturevalue("rerank_server")
        reranker = RerankEndpoint(RerankSpec(url=server.url, always=False, timeout_s=30.0))
        return LocalSwarm(namespace.tenant, namespace.project, reranker=reranker)
    settings = request.getfixturevalue("stack_settings")
    if request.param == "http":
        return over_http(settings, namespace, Scope.READ, Scope.WRITE, Scope.AGENTS)
    return connect(home=settings.home, tenant=namespace.tenant, project=namespace.project)


@pytest.fixture
async def swarm(connected: Swarm) -> AsyncIterator[Swarm]:
    """A fresh namespace, closed after the test."""
    async with connected:
        yield connected


@pytest.fixture
async def speaking(
    request: pytest.FixtureRequest, swarm: Swarm, namespace: NamespaceKey
) -> AsyncIterator[Callable[[str], Swarm]]:
    """Return the namespace as one voice sees it: over HTTP with a token of this subject."""
    others: list[Swarm] = []

    def as_subject(subject: str) -> Swarm:
        if request.node.callspec.params["connected"] != "http":
            return swarm
        settings = request.getfixturevalue("stack_settings")
        others.append(over_http(settings, namespace, Scope.READ, Scope.WRITE, subject=subject))
        return others[-1]

    yield as_subject
    for other in others:
        await other.aclose()
