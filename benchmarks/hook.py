"""The pre-tool hook, from the start of its process to its end.

    python -m benchmarks.hook --json

Half of the calls are like something that failed before and are warned of; half are harmless. The
reference is what the work would cost with nothing of ours around it: `python -c pass`, and then the
same question over a fresh HTTP connection from a process that runs already, which is no hook.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx

import pinak_ray
from benchmarks.report import (
    fresh_stack,
    machine,
    parser,
    percentile,
    print_report,
    progress,
    spread,
)
from pinak_ray.client.discovery import StackFile
from pinak_ray.hook.gateway import Namespace, cached_token
from pinak_ray.hook.tool_call import ToolCall

_PROJECT = "hook-benchmark"
_FAILURES = (
    "dropping the orders table in production deleted a day of sales",
    "kubectl delete namespace payments in production took checkout down for an hour",
    "running migration 42 in production locked the orders table",
    "git push --force to main removed a colleague's release fix",
    "chmod -R 777 on the server's /etc broke every login",
    "terraform apply on the live network replaced the router and cut all traffic",
)
# What is about to be done, and whether it is to be warned of.
_COMMANDS = (
    ("psql production -c 'drop table orders'", True),
    ("ls -la src", False),
    ("kubectl delete namespace payments --context production", True),
    ("python -m pytest tests/unit -q", False),
    ("git push --force origin main", True),
    ("cat README.md", False),
)


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Return the milliseconds that it took, and what came of it."""
    before = time.perf_counter()
    result = act()
    return (time.perf_counter() - before) * 1000, result


def start(command: Sequence[str], given: bytes) -> bytes:
    """Run a program to its end and return what it printed."""
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, timeout=60, check=True)
    return done.stdout


def one_round(hook: Sequence[str], url: str, token: str, calls: int) -> dict[str, list[float]]:
    """Return the milliseconds of a round's calls, the three measurements in turns."""
    taken: dict[str, list[float]] = {"hook": [], "python": [], "http": []}
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    client = httpx.Client(timeout=10)  # made once: to load its certificates takes 50 ms
    for number in range(calls):
        command, risky = _COMMANDS[number % len(_COMMANDS)]
        call = ToolCall("bench", "Bash", {"command": command})
        raw = json.dumps({"tool_name": call.tool, "tool_input": call.arguments}).encode()

        bare = partial(client.post, f"{url}/v1/nudges", json=call.request("bench"), headers=headers)
        taken["python"].append(timed(partial(start, [sys.executable, "-c", "pass"], b""))[0])
        taken["http"].append(timed(bare)[0])
        milliseconds, warning = timed(partial(start, hook, raw))
        taken["hook"].append(milliseconds)
        if bool(warning) != risky:
            raise SystemExit(f"the hook on {command!r} said {warning!r}")
    return taken


def measure(home: Path, calls: int, rounds: int) -> dict[str, Any]:
    """Return the report's figures."""
    url = StackFile.read(home).url
    hook = [
        str(Path(sys.executable).with_name("pinak-ray")),
        *("hook", "--home", str(home), "--project", _PROJECT, "--timeout-ms", "10000"),
    ]
    given = json.dumps({"tool_name": "Bash", "tool_input": {"command": "true"}}).encode()
    first, _ = timed(lambda: start(hook, given))  # signs and keeps the token
    token = cached_token(Namespace(home, "default", _PROJECT))
    assert url is not None
    assert token is not None
    one_round(hook, url, token, len(_COMMANDS))  # caches of files, connections, models
    figures = []
    for number in range(rounds):
        figures.append(one_round(hook, url, token, calls))
        p95 = percentile(figures[-1]["hook"], 0.95)
        progress(f"round {number + 1}: p95 {p95:.1f} ms")
    return {**summary(figures), "first_ms": round(first, 1), "calls": calls}


def summary(figures: Sequence[dict[str, list[float]]]) -> dict[str, Any]:
    """Return medians over rounds of each measurement's p50 and p95, and the ratio of the p50s."""

    def at(name: str, share: float) -> list[float]:
        return [percentile(taken[name], share) for taken in figures]

    reference = [a + b for a, b in zip(at("python", 0.5), at("http", 0.5), strict=True)]
    ratios = [ours / theirs for ours, theirs in zip(at("hook", 0.5), reference, strict=True)]
    parts = {
        f"{name}_{label}_ms": round(statistics.median(at(name, share)), 1)
        for name in ("python", "http")
        for label, share in (("p50", 0.5), ("p95", 0.95))
    }
    return {
        "name": "hook",
        "unit": "ms from the start of the process to its end",
        "ours": round(statistics.median(at("hook", 0.5)), 1),
        "reference": round(statistics.median(reference), 1),
        "reference_is": "python -c pass, and then the same question over HTTP",
        "ratio": round(statistics.median(ratios), 3),
        "rounds": len(figures),
        "spread": round(spread(ratios), 3),
        "p50_ms": round(statistics.median(at("hook", 0.5)), 1),
        "p95_ms": round(statistics.median(at("hook", 0.95)), 1),
        **parts,
    }


async def remember(home: Path) -> None:
    """Store the failures."""
    async with pinak_ray.connect(home=home, project=_PROJECT) as swarm:
        for failure in _FAILURES:
            await swarm.agent("ops").remember(
                failure, layer="episodic", outcome="failure", ack="searchable"
            )


def main() -> None:
    """Measure and print."""
    options = parser("hook", __doc__ or "")
    options.add_argument("--calls", type=int, default=60, help="calls of each kind a round")
    given = options.parse_args()
    where = machine()
    with fresh_stack() as settings:
        asyncio.run(remember(settings.home))
        report = measure(settings.home, given.calls, given.rounds)
    print_report({**report, "machine": where})


if __name__ == "__main__":
    main()
