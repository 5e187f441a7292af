"""`/v1/recall/grade`: what is sent becomes the operation, and what is wrong is refused."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from pinak_ray.records.memory.grades import Grade
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.security.scopes import Scope
from tests.support.gateway_stack import Stack

ONE, TWO = UUID(int=1), UUID(int=2)
PATH = "/v1/recall/grade"
BODY: dict[str, Any] = {"query": "who owns billing?", "memory_ids": [str(ONE), str(TWO), str(ONE)]}


async def test_a_recall_is_graded_for_the_subject(stack: Stack, client: httpx.AsyncClient) -> None:
    """Each memory once, with the answer if there is one; another agent may be named."""
    answer = await client.post(PATH, json=BODY)
    await client.post(PATH, json={**BODY, "answer": "Ada", "agent": "bob"})

    deployer, bob = Owner(1, Space.AGENT, "deployer"), Owner(1, Space.AGENT, "bob")
    assert stack.sent == [
        Grade(deployer, "who owns billing?", (ONE, TWO)),
        Grade(bob, "who owns billing?", (ONE, TWO), "Ada"),
    ]
    assert answer.status_code == 200
    assert answer.json() == {
        "quality": "incorrect", "action": "discard", "relevance": 0, "cover": 0, "uncovered": [],
        "memories": [], "missing": [str(ONE), str(TWO)], "conflicts": [], "answer": None,
    }  # fmt: skip


BAD: dict[str, dict[str, Any]] = {
    "no question": {"memory_ids": []},
    "an empty question": {**BODY, "query": ""},
    "no list": {**BODY, "memory_ids": str(ONE)},
    "no id": {**BODY, "memory_ids": ["one"]},
    "too many": {**BODY, "memory_ids": [str(UUID(int=n)) for n in range(201)]},
    "a long answer": {**BODY, "answer": "x" * 8_193},
    "an unknown field": {**BODY, "k": 3},
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_input_grades_nothing(stack: Stack, client: httpx.AsyncClient, what: str) -> None:
    """Whatever breaks the contract is a 422, and nothing is sent on."""
    response = await client.post(PATH, json=BAD[what])

    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
    assert stack.sent == []


async def test_a_reader_cannot_leave_feedback(stack: Stack) -> None:
    """A grade is kept as feedback, so it needs the right to write."""
    async with stack.client(scopes=[Scope.READ]) as reader:
        response = await reader.post(PATH, json=BODY)

    assert (response.status_code, stack.sent) == (403, [])
