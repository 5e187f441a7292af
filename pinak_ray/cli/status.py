"""`pinak-ray status`."""

import asyncio
from typing import Any, Final

import typer
from rich.table import Table

from pinak_ray.cli.console import Steps, plain, print_json, stdout
from pinak_ray.cli.local_stack import dsn_of, embedded, readiness
from pinak_ray.cli.options import (
    Stack,
    with_options,
)
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import NotRunning, PinakError
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.backfill import refusals
from pinak_ray.store.renamed_names import Renamed, renamed_names

__all__ = ["register", "snapshot"]

_EPILOG = """
[bold]Examples[/bold]

  pinak-ray status

  pinak-ray status --json | jq .parts

Exit code 0 when every part answers, 1 otherwise. `pinak-ray doctor` says what mends it.
"""

_COUNTS: Final = """
SELECT n.tenant, n.project, count(m.id) AS memories, (sum(count(m.id)) OVER ())::bigint AS total
FROM pinak.namespaces AS n LEFT JOIN pinak.memories AS m ON m.namespace_id = n.id
GROUP BY n.id ORDER BY memories DESC, n.id LIMIT 50
"""
_WAITING: Final = "SELECT coalesce(sum(cardinality(memory_ids)), 0)::bigint FROM pinak.index_queue"
_NAMESPACE_COLUMNS: Final = ("tenant", "project", "memories")
_OWN_COLUMNS: Final = ("pid", "queue_depth", "error")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(status)


@with_options
def status(stack: Stack) -> None:
    """Show every part with its process, state and queue, and how much is remembered."""
    settings = stack.settings()
    with Steps(verbose=stack.verbose) as steps:
        found = snapshot(settings, steps)
    if stack.as_json:
        print_json(found)
    else:
        _show(found)
    if found["state"] != "running":
        raise typer.Exit(1)


def snapshot(settings: Settings, steps: Steps) -> dict[str, Any]:
    """Ask every part; raises NotRunning when there is no stack."""
    stack = StackFile.read(settings.home)
    node = RayNode(settings.home)
    head = node.pid()
    if head is None and stack.owns_ray:
        raise NotRunning(
            f"the stack in {settings.home} has died (its Ray head is gone); run `pinak-ray up`"
        )
    from pinak_ray.cluster.stack import health

    steps("asking every part")
    parts = health(settings)
    server = embedded(settings)
    if server is not None:
        parts["postgres"] = {"pid": server.postmaster_pid, **parts.get("postgres", {})}
    code, said = (
        readiness(stack.url, settings.home) if stack.url else (None, "no gateway was announced")
    )
    parts["gateway"] = {} if code == 200 else {"error": said}
    steps("counting memories")
    whole = not any({"error", "embedding_error"} & part.keys() for part in parts.values())
    return {
        "state": "running" if whole else "degraded",
        "url": stack.url,
        "home": str(settings.home),
        "version": stack.version,
        "ray": {"address": stack.ray_address, "pid": head},
        "parts": parts,
        "memories": _memories(settings),
    }


def _memories(settings: Settings) -> dict[str, Any]:
    try:
        return asyncio.run(_count(dsn_of(settings)))
    except PinakError as error:
        return {"error": str(error)}


async def _count(dsn: str) -> dict[str, Any]:
    async with (
        await Database.open(dsn, service_connections=1, name="pinak-ray status") as database,
        database.service() as connection,
    ):
        rows = await connection.fetch(_COUNTS)
        waiting = await connection.fetchval(_WAITING)
        refused = await refusals(connection)
        renamed = await renamed_names(connection)
    return {
        "total": rows[0]["total"] if rows else 0,
        "not_yet_indexed": waiting,
        "refused": [{"why": each["error"], "memories": each["memories"]} for each in refused],
        "renamed_names": renamed._asdict(),
        "by_namespace": [{name: row[name] for name in _NAMESPACE_COLUMNS} for row in rows],
    }


def _show(found: dict[str, Any]) -> None:
    out = stdout()
    mark = "green" if found["state"] == "running" else "red"
    where = f"{plain(str(found['url']))}  {plain(found['home'])}"
    out.print(f"[bold {mark}]{found['state']}[/bold {mark}]  {where}")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("part", "pid", "state", "queue", "figures"):
        table.add_column(title, header_style="dim", overflow="fold")
    table.add_row("ray", str(found["ray"]["pid"]), "[green]ok[/green]", "", found["ray"]["address"])
    for name, part in found["parts"].items():
        state = f"[red]{plain(part['error'])}[/red]" if "error" in part else "[green]ok[/green]"
        figures = ", ".join(
            f"{key} {_short(value)}" for key, value in part.items() if key not in _OWN_COLUMNS
        )
        pid, queue = part.get("pid"), part.get("queue_depth")
        table.add_row(plain(name), _or_nothing(pid), state, _or_nothing(queue), plain(figures))
    out.print(table)
    memories = found["memories"]
    if "error" in memories:
        out.print(f"memories: {plain(memories['error'])}")
        return
    out.print(f"memories: {memories['total']:,} ({memories['not_yet_indexed']:,} not yet indexed)")
    for each in memories["refused"]:
        out.print(f"  {each['memories']:,} found by words only: {plain(each['why'] or '')}")
    if memories["renamed_names"]["names"]:
        out.print(f"  {plain(str(Renamed(**memories['renamed_names'])))}")
    for row in memories["by_namespace"]:
        out.print(f"  {plain(row['tenant'])}/{plain(row['project'])}  {row['memories']:,}")


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_short(held)}" for key, held in value.items()) + ")"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _or_nothing(value: Any) -> str:
    return "" if value is None else str(value)
