"""The HTTP client's patience: it waits as long as it was told, and hands over what is left."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from pinak_ray.client.over_http import transport as http_transport
from pinak_ray.client.over_http.transport import HttpTransport
from pinak_ray.records.errors import Overloaded, Unavailable
from pinak_ray.records.operations import Recollect
from pinak_ray.records.state.owners import Owner, Space

READ = Recollect(Owner(1, Space.AGENT, "a"), None)
OK = 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"items":[]}'


def refusal(code: str, retry_after: str) -> str:
    """Return a 503 as the gateway writes it."""
    body = f'{{"code":"{code}","detail":"the writer is full"}}'
    return (
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
        f"Retry-After: {retry_after}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


@asynccontextmanager
async def gateway(answer: Callable[[int], str]) -> AsyncIterator[tuple[HttpTransport, list[float]]]:
    """A server on loopback that answers the nth request so; yields when each one came, too."""
    came: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                came.append(asyncio.get_running_loop().time())
                writer.write(answer(len(came)).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    transport = HttpTransport(f"http://127.0.0.1:{port}", "token")
    try:
        yield transport, came
    finally:
        await transport.aclose()
        server.close()


@pytest.mark.parametrize("code", ["overloaded", "unavailable"])
async def test_it_comes_again_when_it_was_told_to(code: str) -> None:
    """A 503 is retried, and not before the seconds of its Retry-After have passed."""
    async with gateway(lambda n: OK if n > 1 else refusal(code, "1")) as (transport, came):
        assert await transport.send(READ) == ()
    assert len(came) == 2
    assert came[1] - came[0] >= 1.0


async def test_its_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that leads past the window is not begun: the caller hears when to come again."""
    monkeypatch.setattr(http_transport, "_RETRY_WINDOW_S", 5.0)
    async with gateway(lambda _: refusal("overloaded", "7")) as (transport, came):
        with pytest.raises(Overloaded, match="the writer is full") as refused:
            await transport.send(READ)
    assert (refused.value.retry_after_s, len(came)) == (7.0, 1)


@pytest.mark.parametrize("said", ["Wed, 21 Oct 2026 07:28:00 GMT", "", "-1", "soon"])
async def test_any_retry_after_is_survived(said: str) -> None:
    """A date, as a proxy may send it, or nonsense: our own backoff serves."""
    async with gateway(lambda n: OK if n > 2 else refusal("overloaded", said)) as (transport, _):
        assert await transport.send(READ) == ()


async def test_its_own_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests beyond the limit are refused here, and have cost the gateway nothing."""
    monkeypatch.setattr(http_transport, "_MAX_REQUESTS", 2)
    async with gateway(lambda _: OK) as (transport, came):
        answers = await asyncio.gather(
            *(transport.send(READ) for _ in range(5)), return_exceptions=True
        )
        assert [answer == () for answer in answers] == [True, True, False, False, False]
        assert all(isinstance(answer, Overloaded) for answer in answers[2:])
        assert len(came) == 2
        assert await transport.send(READ) == ()


async def test_what_cannot_be_reached_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that is gone is Unavailable once the window has passed."""
    monkeypatch.setattr(http_transport, "_RETRY_WINDOW_S", 0.2)
    async with gateway(lambda _: OK) as (transport, _):
        gone = HttpTransport("http://127.0.0.1:9", "token")
        with pytest.raises(Unavailable, match="does not answer"):
            await gone.send(READ)
        await gone.aclose()
        assert await transport.send(READ) == ()
