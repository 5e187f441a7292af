"""`pinak-ray models`: register another embedding model, compare, switch and roll back."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from pinak_ray.cli.console import Steps, plain
from pinak_ray.cli.local_stack import dsn_of, on_database
from pinak_ray.cli.models.options import ModelOptions
from pinak_ray.cli.options import (
    Project,
    Stack,
    Tenant,
    with_options,
)
from pinak_ray.embedding import embedder_kinds, is_installed
from pinak_ray.store.database import Database

__all__ = ["register"]

R = TypeVar("R")

_EPILOG = """
[bold]From one model to the next[/bold]

  pinak-ray models add e5 --wait                many languages; nothing else is needed

  pinak-ray models switch multilingual-e5-small

  pinak-ray models add openai --url http://127.0.0.1:8080 --model bge-m3 --dimension 1024 --wait

  pinak-ray models compare bge-m3 --queries asked.jsonl

  pinak-ray models switch bge-m3                running parts follow within seconds

  pinak-ray models rollback                     the one before is kept complete

  pinak-ray models retry                        what was refused, now and not later

  pinak-ray models remove all-MiniLM-L6-v2      its vectors go, and with them the way back
"""

Name = Annotated[str, typer.Argument(help="The model's name, NAME:DIMENSION, or its number.")]


def _installed(kind: str) -> str:
    if not is_installed(kind):
        raise typer.BadParameter(f"{kind!r} is none of: {', '.join(embedder_kinds())}")
    return kind


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, epilog=_EPILOG, rich_markup_mode="rich")
    group.command("list")(list_models)
    group.command()(add)
    group.command()(compare)
    group.command()(switch)
    group.command()(rollback)
    group.command()(remove)
    group.command()(retry)
    app.add_typer(group, name="models", help="Embedding models: add, compare, switch, roll back.")


@with_options
def list_models(stack: Stack) -> None:
    """Show each model: which serves, and of how many memories it has the vectors."""
    from pinak_ray.cli.models.shown import described, table
    from pinak_ray.store.models.serving_model import model_statuses

    statuses = _done(stack, "counting vectors", model_statuses)
    stack.answer({"models": [described(status) for status in statuses]}, table(statuses))


@with_options
def add(
    stack: Stack,
    kind: Annotated[
        str,
        typer.Argument(
            help="minilm, e5, openai, or an installed provider's name.", callback=_installed
        ),
    ],
    options: ModelOptions,
    wait: Annotated[bool, typer.Option("--wait", help="Until every memory has a vector.")] = False,
) -> None:
    """Register a model and have the Indexers embed everything with it, while the other serves."""
    from pinak_ray.cli.models.shown import described, watch_backfill
    from pinak_ray.cli.models.trial import add_candidate, status_named

    settings, spec = stack.settings(), options.spec(kind)
    with Steps(verbose=stack.verbose) as steps:

        async def work(database: Database) -> Any:
            steps("loading the model")
            config = settings.stack_config(dsn_of(settings))
            registered = await add_candidate(
                database, config, spec, lambda stage, share: steps(f"{stage} the model {share:.0%}")
            )
            if wait:
                await watch_backfill(database, registered.id, steps)
            return described(await status_named(database, str(registered.id)))

        added = on_database(settings, work)
    stack.answer(added, f"registered {plain(added['name'])}, {added['coverage']:.1%} embedded")


@with_options
def compare(
    stack: Stack,
    name: Name,
    queries: Annotated[
        Path | None,
        typer.Option(
            help='A query a line, or {"query": ..., "relevant": [ids]} as JSON. '
            "Otherwise recorded ones (PINAK_RECORD_QUERIES)."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many queries.")] = 200,
    tenant: Tenant = None,
    project: Project = None,
) -> None:
    """Ask the serving model and another one the same queries; say how their answers differ."""
    from pinak_ray.cli.models.shown import comparison_table
    from pinak_ray.cli.models.trial import compare_models, queries_from
    from pinak_ray.client.discovery import ClientSettings
    from pinak_ray.records.ids import NamespaceKey

    settings, client = stack.settings(), ClientSettings()
    key = NamespaceKey(tenant or client.tenant, project or client.project)
    with Steps(verbose=stack.verbose) as steps:

        async def work(database: Database) -> Any:
            steps("reading queries")
            asked = await queries_from(
                database, queries, key if queries or tenant or project else None, limit=limit
            )
            steps("asking both models")
            return await compare_models(
                database,
                settings.stack_config(dsn_of(settings)),
                name,
                asked,
                progress=lambda share: steps(f"asking both models {share:.0%}"),
            )

        found = on_database(settings, work)
    stack.answer(found, comparison_table(found))


@with_options
def switch(
    stack: Stack,
    name: Name,
    force: Annotated[bool, typer.Option(help="Even while vectors are missing.")] = False,
) -> None:
    """Let another model serve; refused until its back-fill has ended."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.models.serving_model import switch_to

    async def work(database: Database) -> str:
        model = (await status_named(database, name)).model
        await switch_to(database, model.id, force=force)
        return model.name

    serves = _done(stack, "switching", work)
    _say_who_serves(serves, stack)


@with_options
def rollback(stack: Stack) -> None:
    """Let the model serve that served before the last switch."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.models.serving_model import roll_back

    async def work(database: Database) -> str:
        return (await status_named(database, str(await roll_back(database)))).model.name

    serves = _done(stack, "rolling back", work)
    _say_who_serves(serves, stack)


@with_options
def remove(
    stack: Stack,
    name: Name,
) -> None:
    """Forget a model that does not serve, and its vectors; one cannot roll back to it any more."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.models.serving_model import remove_model

    async def work(database: Database) -> str:
        model = (await status_named(database, name)).model
        await remove_model(database, model.id)
        return model.name

    removed = _done(stack, "removing vectors", work)
    stack.answer({"removed": removed}, f"removed {plain(str(removed))}")


@with_options
def retry(
    stack: Stack,
    name: Annotated[
        str | None, typer.Argument(help="The model's name, NAME:DIMENSION, or its number. All.")
    ] = None,
) -> None:
    """Have the texts that a model refused embedded again now: it may take them since."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.indexing.backfill import retry_refused

    async def work(database: Database) -> int:
        model = (await status_named(database, name)).model if name else None
        async with database.service() as connection:
            return await retry_refused(connection, model.id if model else None)

    retried = _done(stack, "asking again", work)
    stack.answer({"retried": retried}, f"{retried:,} texts are tried again; see `pinak-ray status`")


def _done(stack: Stack, step: str, work: Callable[[Database], Awaitable[R]]) -> R:
    with Steps(verbose=stack.verbose) as steps:
        steps(step)
        return on_database(stack.settings(), work)


def _say_who_serves(name: str, stack: Stack) -> None:
    stack.answer({"serves": name}, f"{plain(name)} serves; running parts follow within seconds")
