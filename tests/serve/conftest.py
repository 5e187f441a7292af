"""A fresh gateway for each test."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import structlog

from pinak_ray.telemetry.logs import configure_logs
from tests.support.gateway_stack import Stack


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    configure_logs("info", json=True)
    yield
    structlog.reset_defaults()


@pytest.fixture
def stack() -> Stack:
    """A fresh gateway."""
    return Stack()


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A caller that may read and write."""
    async with stack.client() as client:
        yield client
