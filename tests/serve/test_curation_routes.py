"""`/v1/curation`: the last report, and a pass that is dry unless it is said otherwise."""

from typing import Any

import httpx
import pytest

from pinak_ray.records.errors import Conflict
from pinak_ray.security.scopes import Scope
from tests.support.gateway_stack import NUDGE, Stack

PATH = "/v1/curation"


async def test_a_pass_is_dry_by_default(stack: Stack, client: httpx.AsyncClient) -> None:
    """It says what would go; only `dry_run: false` makes it go, and is then the last report."""
    dry = (await client.post(PATH, json={})).json()
    before = (await client.get(PATH)).json()
    wet = (await client.post(PATH, json={"dry_run": False})).json()
    after = (await client.get(PATH)).json()

    assert (dry["dry_run"], wet["dry_run"]) == (True, False)
    assert dry["counts"] == {"weak": 1, "duplicate": 0, "near_duplicate": 0}
    assert [sample["id"] for sample in dry["samples"]] == [str(NUDGE)]
    assert (before["last"], after["last"]) == (None, wet)
    assert (after["archived"], after["policy"]["forget_below"]) == (3, 0.0)


@pytest.mark.parametrize("body", [{"dry_run": "no"}, {"dry_run": None}, {"forget_below": 1}, []])
async def test_bad_passes_are_refused(stack: Stack, client: httpx.AsyncClient, body: Any) -> None:
    """A 422 problem, and no pass: what is forgotten is the operator's to say, not a caller's."""
    answer = await client.post(PATH, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert stack.backend.curated == {}


async def test_passes_ask_for_their_scopes(stack: Stack) -> None:
    """Who may only read sees reports; a pass needs the scope to write."""
    async with stack.client(scopes=[Scope.READ]) as reader:
        answers = [await reader.get(PATH), await reader.post(PATH, json={"dry_run": False})]
    async with stack.client(scopes=[Scope.WRITE]) as writer:
        answers += [await writer.get(PATH), await writer.post(PATH, json={})]

    assert [answer.status_code for answer in answers] == [200, 403, 403, 200]


async def test_a_pass_beside_another_is_a_409(
    stack: Stack, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Curator's Conflict is the answer."""

    async def busy(*_: Any, **__: Any) -> Any:
        raise Conflict("this namespace is being curated")

    monkeypatch.setattr(stack.backend, "curate", busy)
    answer = await client.post(PATH, json={"dry_run": False})

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
