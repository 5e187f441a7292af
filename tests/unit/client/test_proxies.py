"""The user's proxies: past them to this machine, and named where they stand in the way."""

import os

import pytest

from pinak_ray.client.over_http.transport import HttpTransport
from pinak_ray.records.errors import NotRunning, SetupError
from pinak_ray.records.proxies import is_here, through
from tests.unit.client.test_http_transport import OK, READ, gateway

_DEAD = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own proxies are none of the tests'."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8642", "http://127.9.9.9", "https://localhost:1", "http://LOCALHOST.",
        "http://[::1]:8642", "http://[::ffff:127.0.0.1]", "http://api.localhost", "http://0.0.0.0:1",
    ],
)  # fmt: skip
def test_this_machine(url: str) -> None:
    """All names and addresses of loopback are this machine."""
    assert is_here(url)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1", "http://localhost.example.com", "http://[fe80::1]", "http://128.0.0.1"],
)
def test_elsewhere(url: str) -> None:
    """What only looks like loopback is not."""
    assert not is_here(url)


@pytest.mark.parametrize(
    "environment",
    [
        {"HTTP_PROXY": _DEAD}, {"http_proxy": _DEAD}, {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"HTTP_PROXY": _DEAD, "NO_PROXY": "10.0.0.0/8"}, {"HTTP_PROXY": "proxy.corp:3128"},
        {"HTTP_PROXY": _DEAD, "NO_PROXY": "fd00::/8"}, {"all_proxy": "nonsense://"},
    ],
)  # fmt: skip
async def test_loopback_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """A dead, odd or unusable proxy is not even looked at."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with gateway(lambda _: OK) as (transport, came):
        assert await transport.send(READ) == ()
    assert len(came) == 1


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("HTTPS_PROXY", "https://gateway.example.com"),
        ("https_proxy", "https://gateway.example.com"),
        ("HTTP_PROXY", "http://gateway.example.com"),
        ("ALL_PROXY", "http://gateway.example.com"),
    ],
)
def test_a_dead_proxy_is_named(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    """Whoever cannot reach a gateway elsewhere hears which variable the way goes by."""
    monkeypatch.setenv(name, _DEAD)
    with pytest.raises(NotRunning, match=f"the proxy that {name} names; NO_PROXY=gateway"):
        HttpTransport(url, "token").describe()


@pytest.mark.parametrize("value", ["proxy.corp:3128", "nonsense://x", "http://["])
def test_an_unusable_proxy_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A value that is no proxy is a fault of the set-up, and no traceback of a library."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises((SetupError, NotRunning), match="HTTPS_PROXY"):
        HttpTransport("https://gateway.example.com", "token").describe()


def test_what_goes_past_the_proxy_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY is honoured, and then no proxy is blamed."""
    monkeypatch.setenv("HTTPS_PROXY", _DEAD)
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert through("https://gateway.example.com") == ""
