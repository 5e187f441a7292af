"""`promote`, `distill` and `/v1/templates`, over a gateway whose state is real."""

from collections.abc import AsyncIterator

import httpx
import pytest

from pinak_ray.security.scopes import Scope
from pinak_ray.testing import LocalSwarm
from tests.support.gateway_stack import HOME, Stack

PAD = "/v1/agents/ada/scratchpad"


@pytest.fixture
async def ada(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A caller over a gateway with a twin behind it."""
    stack.backend.transport = LocalSwarm(*HOME).transport  # type: ignore[assignment]
    async with stack.client(subject="ada") as client:
        yield client


async def test_who_promotes_is_the_subject_unless_the_body_says(ada: httpx.AsyncClient) -> None:
    """Nothing has to be said: the bar has a default, and a repeated call adds nothing."""
    finding = {"content": "migrations lock tables", "confidence": 0.9}
    await ada.post("/v1/boards/b/findings", json=finding)
    first = await ada.post("/v1/boards/b/promote", json={})
    again = await ada.post("/v1/boards/b/promote", json={"author": "eve"})

    assert (first.status_code, len(first.json()["promoted"])) == (200, 1)
    assert again.json() == {"promoted": [], "held": [], "skipped": {"unchanged": 1}, "links": 0}


async def test_an_outcome_is_created_once(ada: httpx.AsyncClient) -> None:
    """201 for a run that nothing was said of, 200 for one that was told of before."""
    await ada.post(f"{PAD}/act", json={"action": "restart web-3"})
    distilled = await ada.post(f"{PAD}/distill", json={"problem": "web-3 hangs", "quality": 1})
    path = f"/v1/templates/{distilled.json()['template']}/outcomes"
    outcome = {"success": False, "run": "monday"}

    assert (await ada.post(path, json=outcome)).status_code == 201
    assert (await ada.post(path, json=outcome)).status_code == 200
    found = await ada.post("/v1/templates", json={"problem": "web-5 hangs"})
    (template,) = found.json()["templates"]
    assert (template["runs"], template["successes"], template["failing"]) == (2, 1, False)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/boards/b/promote", {"min_confidence": 2}, 422),
        ("/v1/boards/b/promote", {"min_quality": 0.5}, 422),
        ("/v1/boards/b/promote", {"author": ""}, 422),
        (f"{PAD}/promote", {"author": "eve"}, 422),
        (f"{PAD}/distill", {}, 422),
        (f"{PAD}/distill", {"problem": "none done", "quality": 1}, 422),
        ("/v1/templates", {"problem": "x", "k": 0}, 422),
        ("/v1/templates/x/outcomes", {"success": True, "run": "r"}, 422),
        ("/v1/templates/x/outcomes", {"success": "yes", "run": "r"}, 422),
        (f"/v1/templates/{'0' * 32}/outcomes", {"success": True, "run": "r"}, 404),
    ],
)
async def test_bad_input_is_refused(
    ada: httpx.AsyncClient, path: str, body: dict[str, object], status: int
) -> None:
    """What cannot be meant is a problem document, never a 500."""
    response = await ada.post(path, json=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/v1/boards/b/promote", f"{PAD}/distill", f"/v1/templates/{'0' * 32}/outcomes"]
)
async def test_learning_writes(stack: Stack, path: str) -> None:
    """A token that may only read neither promotes nor tells of runs."""
    async with stack.client(subject="ada", scopes=(Scope.READ,)) as reader:
        assert (await reader.post(path, json={})).status_code == 403
