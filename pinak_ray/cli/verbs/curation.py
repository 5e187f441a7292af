"""`pinak-ray curate` and `restore`: what is merged and forgotten, and the way back."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pinak_ray.cli.console import Steps, plain, print_json, stdout
from pinak_ray.cli.local_stack import on_database
from pinak_ray.cli.options import (
    Stack,
    with_options,
)
from pinak_ray.cli.verbs.changes import MemoryId
from pinak_ray.client.discovery import ClientSettings
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.limits import check_id
from pinak_ray.store.database import Database

if TYPE_CHECKING:
    from pinak_ray.records.memory.curation import CurationReport

__all__ = ["register"]

R = TypeVar("R")

_CURATE_EPILOG = """
[bold]Examples[/bold]

  pinak-ray curate --dry-run --merge --forget-below 0.05     what would go, and nothing goes

  pinak-ray curate --namespace acme/shop                     what PINAK_CURATE_* variables say

  pinak-ray curate --json | jq '.reports[].counts'

By default nothing is merged or forgotten: name what is to go, here or by PINAK_CURATE_* variables.
"""
_RESTORE_EPILOG = """
[bold]Examples[/bold]

  pinak-ray restore 0198c7a2-5d1e-8b3a-9f00-2b6c4d8e1f00

  pinak-ray restore 0198c7a2-5d1e-8b3a-9f00-2b6c4d8e1f00 --namespace acme/shop
"""

Namespace = Annotated[
    str | None, typer.Option(metavar="TENANT/PROJECT", help="Which namespace.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=_CURATE_EPILOG)(curate)
    app.command(epilog=_RESTORE_EPILOG)(restore)


@with_options
def curate(
    stack: Stack,
    namespace: Namespace = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    merge: Annotated[
        bool | None, typer.Option("--merge/--no-merge", help="Merge what says the same.")
    ] = None,
    forget_below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Archive and delete what is weaker; 0: nothing."),
    ] = None,
    forget_after_days: Annotated[
        float | None, typer.Option(min=0, help="Nothing younger is archived.")
    ] = None,
) -> None:
    """Make one pass of the Curator over one namespace, or over all, and report."""
    from pinak_ray.curation.passes import curate as one_pass

    settings = stack.settings()
    usual = settings.curation_policy()
    policy = replace(
        usual,
        merge=usual.merge if merge is None else merge,
        forget_below=usual.forget_below if forget_below is None else forget_below,
        forget_after_days=(
            usual.forget_after_days if forget_after_days is None else forget_after_days
        ),
    )
    named = None if namespace is None else _key(namespace)
    with Steps(verbose=stack.verbose) as steps:

        async def work(database: Database) -> "dict[NamespaceKey, CurationReport]":
            reports = {}
            for id_, key in (await _namespaces(database, named)).items():
                steps(f"curating {key}")
                reports[key] = await one_pass(database, id_, policy, dry_run=dry_run)
            return reports

        reports = on_database(settings, work)
    if stack.as_json:
        print_json(
            {"reports": [{"namespace": str(k), "report": each} for k, each in reports.items()]}
        )
    else:
        _show(reports)


@with_options
def restore(
    stack: Stack,
    memory_id: MemoryId,
    namespace: Namespace = None,
) -> None:
    """Put an archived memory back as it was."""
    from pinak_ray.store.lifecycle.archive import restore_memory
    from pinak_ray.store.lifecycle.curation import namespace_of

    client = ClientSettings()
    key = _key(namespace) if namespace else NamespaceKey(client.tenant, client.project)
    id_ = check_id("ID", memory_id)

    async def work(database: Database) -> None:
        await restore_memory(database, await namespace_of(database, key), id_)

    with Steps(verbose=stack.verbose) as steps:
        steps("restoring")
        on_database(stack.settings(), work)
    stack.answer({"restored": id_}, f"restored {id_}")


def _key(namespace: str) -> NamespaceKey:
    tenant, slash, project = namespace.partition("/")
    if not (tenant and slash and project):
        raise typer.BadParameter(f"--namespace {namespace!r} is not TENANT/PROJECT")
    return NamespaceKey(tenant, project)


async def _namespaces(database: Database, named: NamespaceKey | None) -> dict[int, NamespaceKey]:
    from pinak_ray.store.lifecycle.curation import due_namespaces, namespace_of

    if named is not None:
        return {await namespace_of(database, named): named}
    found: dict[int, NamespaceKey] = {}
    while page := await due_namespaces(database, max(found, default=0), every_s=0, acts=True):
        found.update(page)
    return found


def _show(reports: "dict[NamespaceKey, CurationReport]") -> None:
    out = stdout()
    for key, report in reports.items():
        counts = ", ".join(f"{count:,} {reason}" for reason, count in report.counts.items())
        out.print(
            f"[bold]{plain(str(key))}[/bold]  {'would go: ' if report.dry_run else ''}{counts}; "
            f"{report.bytes:,} bytes of text; {report.looked_at:,} looked at in "
            f"{report.duration_s:.1f} s{'' if report.complete else ', the next pass goes on'}"
        )
        for one in report.samples:
            kept = f", kept {one.kept}" if one.kept else ""
            out.print(
                f"  [dim]{one.id}  {one.reason}  {one.strength:.2f}{kept}[/dim]  "
                f"{plain(one.content)}"
            )
