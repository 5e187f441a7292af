"""A light client: over HTTP, and in memory, nothing of the server is imported, nor needed."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

# Only what the extra `client` names, with what that requires itself, can be imported.
ALONE = """
import sys
from importlib.metadata import distribution, packages_distributions
from packaging.requirements import Requirement

there, wanted = set(), [Requirement(each) for each in CLIENT]
while wanted:
    one = wanted.pop()
    if one.marker is not None and not one.marker.evaluate({"extra": ""}):
        continue
    name = one.name.lower().replace("_", "-")
    if name not in there:
        there.add(name)
        wanted += map(Requirement, distribution(name).requires or ())
owners = packages_distributions()

class Nothing:
    def find_spec(self, name, path=None, target=None):
        of = [each.lower().replace("_", "-") for each in owners.get(name.partition(".")[0], ())]
        if of and "pinak-ray" not in of and there.isdisjoint(of):
            raise ModuleNotFoundError(f"{name} is not installed", name=name)

for name in [name for name in sys.modules if name.partition(".")[0] == "packaging"]:
    del sys.modules[name]
sys.meta_path.insert(0, Nothing())
"""
OVER_HTTP = """
import asyncio
import pinak_ray

async def main():
    async with pinak_ray.connect(url=URL, token="t") as swarm:
        board, agent = swarm.board("incident"), swarm.agent("deployer")
        assert (await agent.note("plan", 1)).version == 3
        assert "numpy" not in sys.modules
        assert (await agent.remember("x", vector=[0.5, 0.25])).new
asyncio.run(main())
"""
IN_MEMORY = """
import asyncio
from pinak_ray.testing import LocalSwarm

async def main():
    async with LocalSwarm() as swarm:
        agent = swarm.agent("deployer")
        first = await agent.remember("migration 42 locks orders", outcome="failure")
        hits = (await agent.recall("which migration locks orders?")).hits
        assert [hit.id for hit in hits] == [first.id]
        assert await agent.intend("run migration 42 on orders", tool="psql")
        await agent.grade("which migration?", [first.id])
        await swarm.board("incident").post("orders is locked", author="deployer")
        await swarm.board("incident").promote(author="deployer")
        await agent.context(board="incident")
asyncio.run(main())
"""
HEAVY = """
print([name for name in ("ray", "asyncpg", "pinak_ray.store", "onnxruntime", "tokenizers", "rich")
       if name in sys.modules])
"""


class _Gateway(BaseHTTPRequestHandler):
    """Answers as a gateway does: what it is, and receipts."""

    def do_GET(self) -> None:
        self._answer({"tenant": "t", "project": "p", "namespace_id": 1, "model": {"dimension": 2}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        id_ = "018f0000-0000-7000-8000-000000000001"
        self._answer({"id": id_, "ack": "durable", "new": True, "version": 3})

    do_PUT = do_POST  # noqa: N815 - the name that the library calls

    def _answer(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def gateway() -> Iterator[str]:
    """Yield the address of one that runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Gateway) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(*parts: str, **names: object) -> str:
    """Return what a fresh interpreter prints that runs these parts."""
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    code = "".join([given, "import sys\n", *parts])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_over_http_nothing_of_the_server_is_imported() -> None:
    """connect(url=...), the handles and their verbs: no Ray, no asyncpg, no store."""
    with gateway() as url:
        assert run(OVER_HTTP, HEAVY.replace(', "rich"', ""), URL=url) == "[]"


def test_in_memory_nothing_of_the_server_is_imported() -> None:
    """LocalSwarm is without Ray, as it says, and without a database's driver."""
    assert run(IN_MEMORY, HEAVY) == "[]"


def test_the_extra_client_is_enough() -> None:
    """With the packages of the extra `client` alone, both ways work."""
    with gateway() as url:
        assert run(ALONE, OVER_HTTP, IN_MEMORY, HEAVY, CLIENT=EXTRAS["client"], URL=url) == "[]"


def test_the_extras_are_the_whole() -> None:
    """A plain install has what all the parts require, each at the same version."""
    parts = [each for part in ("client", "ray", "server", "embedded") for each in EXTRAS[part]]

    assert sorted(parts) == sorted(PROJECT["dependencies"])
