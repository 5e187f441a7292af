"""A scratchpad over HTTP is its agent's own: by the token's subject, not by a string."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from pinak_ray.records.commands import COMMANDS, VIEWS
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.state.owners import Space
from pinak_ray.security.scopes import Scope
from pinak_ray.testing import LocalSwarm
from tests.support.gateway_stack import HOME, Stack

PLAIN = (Scope.READ, Scope.WRITE)
OWN, OTHERS = "/v1/agents/ada/scratchpad", "/v1/agents/eve/scratchpad"
WRITES = [
    "",
    "/promote",
    "/distill",
    *(f"/{verb}" for space, verb in COMMANDS if space is Space.AGENT),
]
READS = ["", *(f"/{name}" for space, name in VIEWS if space is Space.AGENT)]


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """A gateway over a twin: its scratchpads are real."""
    stack.backend.transport = LocalSwarm(*HOME).transport  # type: ignore[assignment]
    return stack


@pytest.fixture
async def ada(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A caller whose token speaks for ada, and for nobody else."""
    async with stack.client(subject="ada", scopes=PLAIN) as client:
        yield client


async def observed(client: httpx.AsyncClient, path: str, content: str = "seen") -> httpx.Response:
    """Write an observation."""
    return await client.post(f"{path}/observe", json={"content": content})


def forbidden(response: httpx.Response) -> bool:
    """Tell whether it was refused, with the scope that was lacking."""
    return response.status_code == 403 and Scope.AGENTS in response.json()["detail"]


async def test_the_subject_reaches_its_own_scratchpad(ada: httpx.AsyncClient) -> None:
    """Writing, reading, views and the watch of one's own need no further scope."""
    assert (await observed(ada, OWN)).status_code == 201
    posted = await ada.post(OWN, json={"kind": "observation", "content": "by hand"})
    assert posted.status_code == 201
    contents = [entry["content"] for entry in (await ada.get(OWN)).json()["entries"]]
    assert contents == ["seen", "by hand"]
    assert len((await ada.get(f"{OWN}/thoughts")).json()["thoughts"]) == 2
    assert len((await ada.get("/v1/agents/ada/watch?wait_s=0")).json()["entries"]) == 2


@pytest.mark.parametrize("verb", WRITES)
async def test_no_other_scratchpad_is_written(
    stack: Stack, ada: httpx.AsyncClient, verb: str
) -> None:
    """No command and no post reaches another agent's, whatever its body says."""
    for body in ({"content": "x"}, _valid(verb)):
        response = await ada.post(OTHERS + verb, json=body)
        assert response.status_code in {403, 422}
    assert forbidden(response)
    async with stack.client(subject="eve", scopes=PLAIN) as eve:
        assert (await eve.get(OTHERS)).json()["entries"] == []


@pytest.mark.parametrize("view", READS)
async def test_no_other_scratchpad_is_read(stack: Stack, ada: httpx.AsyncClient, view: str) -> None:
    """No view, no page of entries and no error tells of another agent's."""
    async with stack.client(subject="eve", scopes=PLAIN) as eve:
        await observed(eve, OTHERS, "a secret of eve")

    parameters = {"called": "secret", "query": "secret"}
    needed = {"/entity": {"called"}, "/timeline": {"called"}, "/entity_context": {"query"}}
    asked = {name: parameters[name] for name in needed.get(view, ())}
    response = await ada.get(OTHERS + view, params=asked)
    assert forbidden(response)
    assert "a secret" not in response.text


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_no_other_scratchpad_is_watched(
    stack: Stack, ada: httpx.AsyncClient, accept: str
) -> None:
    """Neither a long poll nor a stream tells what another agent writes."""
    async with stack.client(subject="eve", scopes=PLAIN) as eve:
        await observed(eve, OTHERS, "a secret of eve")

    response = await ada.get(
        "/v1/agents/eve/watch", params={"wait_s": 0}, headers={"Accept": accept}
    )
    assert forbidden(response)


@pytest.mark.parametrize("name", ["EVE", "eve%2F", "%65ve", "ada%2F..%2Feve"])
async def test_names_are_compared_as_they_are(
    stack: Stack, ada: httpx.AsyncClient, name: str
) -> None:
    """No spelling of a path makes another agent's scratchpad one's own."""
    async with stack.client(subject="eve", scopes=PLAIN) as eve:
        await observed(eve, OTHERS, "a secret of eve")

    assert forbidden(await ada.get(f"/v1/agents/{name}/scratchpad"))


async def test_a_blank_makes_no_other_name(stack: Stack, ada: httpx.AsyncClient) -> None:
    """A name that looks like another agent's is no name."""
    assert (await ada.get("/v1/agents/eve%20/scratchpad")).status_code == 422


@pytest.mark.parametrize("scopes", [(*PLAIN, Scope.AGENTS), (Scope.ADMIN,)])
async def test_a_token_may_be_for_all_agents(stack: Stack, scopes: Any) -> None:
    """A service that acts for many agents says so in its token; the entries are the agents'."""
    async with stack.client(subject="service", scopes=scopes) as service:
        assert (await observed(service, OTHERS)).status_code == 201
        (entry,) = (await service.get(OTHERS)).json()["entries"]
    assert entry["author"] == "eve"


async def test_the_scope_is_no_other_permission(stack: Stack) -> None:
    """To act for all agents is neither to read nor to write, nor to leave the namespace."""
    async with stack.client(subject="eve", scopes=PLAIN) as eve:
        await observed(eve, OTHERS, "a secret of eve")
    async with stack.client(subject="service", scopes=(Scope.READ, Scope.AGENTS)) as reader:
        assert (await observed(reader, OTHERS)).status_code == 403
    elsewhere = NamespaceKey("acme", "elsewhere")
    async with stack.client(namespace=elsewhere, scopes=(Scope.ADMIN,)) as admin:
        assert (await admin.get(OTHERS)).json()["entries"] == []


async def test_figures_of_scratchpads(stack: Stack) -> None:
    """Whoever may read sees how much there is, and needs to be no agent for it."""
    async with stack.client(scopes=[Scope.READ]) as reader:
        response = await reader.get("/api/v1/search/scratchpad/stats")
    assert response.status_code == 200
    assert response.json()["kinds"] == {"observation": 3}


def _valid(verb: str) -> dict[str, Any]:
    """Return a body that the command would take from its own agent."""
    id_ = "0198f3a2-7c1e-7000-8000-000000000001"
    bodies: dict[str, dict[str, Any]] = {
        "": {"kind": "observation", "content": "x"},
        "/promote": {},
        "/distill": {"problem": "x"},
        "/example": {"type": "sql", "input": "x", "output": "y"},
        "/find_example": {"type": "sql", "input": "x"},
        "/act": {"action": "x"},
        "/answer": {"question": id_, "content": "x"},
        "/prune_thoughts": {"min_score": 0.5},
        "/mention": {"name": "x"},
        "/relate": {"subject": "x", "relation": "is", "object": "y"},
        "/split_entity": {"name": "x", "names": ["y"]},
    }
    return bodies.get(verb, {"content": "x"})
