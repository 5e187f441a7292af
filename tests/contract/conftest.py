"""One namespace at a time, over each wire."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from wires import over_http

from pinak_ray import Swarm, connect
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security import Scope


@pytest.fixture
def namespace() -> NamespaceKey:
    """A namespace that nobody has used."""
    return NamespaceKey("acme", f"contract/ü-{uuid4().hex}")


@pytest.fixture(params=["ray", "http"])
async def swarm(
    request: pytest.FixtureRequest, stack_settings: Settings, namespace: NamespaceKey
) -> AsyncIterator[Swarm]:
    """A fresh namespace over one of the wires."""
    if request.param == "ray":
        opened = connect(
            home=stack_settings.home, tenant=namespace.tenant, project=namespace.project
        )
    else:
        opened = over_http(stack_settings, namespace, Scope.READ, Scope.WRITE)
    async with opened:
        yield opened
