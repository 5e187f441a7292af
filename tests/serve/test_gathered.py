"""Probes and scrapes without a token: asked of the stack once for all who ask at that time."""

import asyncio
from typing import Any

import pytest

from tests.support.gateway_stack import Stack
from tests.support.waiting import until


@pytest.mark.parametrize(("path", "asked"), [("/metrics", "metrics"), ("/readyz", "readiness")])
async def test_many_who_ask_are_one_question(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, path: str, asked: str
) -> None:
    """However many ask at a time, or within a second; then the parts are asked again."""
    now, questions, release = 0.0, 0, asyncio.Event()
    real = getattr(stack.backend, asked)

    async def counted() -> Any:
        nonlocal questions
        questions += 1
        await release.wait()
        return await real()

    monkeypatch.setattr(stack.backend, asked, counted)
    stack.app.state.context.gathered.clock = lambda: now
    async with stack.client("") as client:
        asking = [asyncio.create_task(client.get(path)) for _ in range(32)]
        await until(lambda: questions, what="the parts are asked")
        release.set()
        answers = [await each for each in asking]
        assert {answer.status_code for answer in answers} == {200}
        assert (await client.get(path)).is_success
        assert questions == 1
        now += 1.5
        assert (await client.get(path)).is_success
    assert questions == 2


async def test_scrapes_have_a_limit_of_their_own(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many of them hear 503; the process is still asked whether it is alive."""
    release = asyncio.Event()

    async def late() -> Any:
        await release.wait()
        return []

    monkeypatch.setattr(stack.backend, "metrics", late)
    async with stack.client("") as client:
        asking = [asyncio.create_task(client.get("/metrics")) for _ in range(90)]
        await until(lambda: sum(map(asyncio.Task.done, asking)) == 42, what="some are refused")
        assert (await client.get("/healthz")).status_code == 200
        release.set()
        answers = [(await each).status_code for each in asking]
    assert (answers.count(200), answers.count(503)) == (48, 42)
