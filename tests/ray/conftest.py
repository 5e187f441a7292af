"""What tests on the running stack share."""

from collections.abc import Callable
from uuid import uuid4

import asyncpg
import pytest

from pinak_ray import Swarm, connect
from pinak_ray.cluster.settings import Settings


@pytest.fixture
def join(stack_settings: Settings) -> Callable[[str], Swarm]:
    """A function that opens a project of its own on the session's stack."""

    def join(name: str) -> Swarm:
        return connect(home=stack_settings.home, project=f"{name}-{uuid4().hex}")

    return join


@pytest.fixture
def swarm(join: Callable[[str], Swarm]) -> Swarm:
    """A fresh, empty namespace."""
    return join("test")


@pytest.fixture
def fetch(stack_settings: Settings) -> Callable[..., "object"]:
    """A function that asks the stack's database, past every cache and actor."""
    assert stack_settings.dsn is not None
    dsn = stack_settings.dsn.get_secret_value()

    async def fetch(statement: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn, timeout=30)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    return fetch
