"""`pinak-ray models`: register another embedding model, compare, switch and roll back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer

from pinak_ray.cli.console import Steps, plain, print_json, stdout
from pinak_ray.cli.local_stack import dsn_of
from pinak_ray.cli.options import AsJson, Dsn, Home, Project, Tenant, VerboseFlag, settings_from
from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import EmbedderKind
from pinak_ray.records.errors import InvalidInput
from pinak_ray.store.database import Database

__all__ = ["register"]

R = TypeVar("R")

_EPILOG = """
[bold]From one model to the next[/bold]

  pinak-ray models add openai --url http://127.0.0.1:8080 --model bge-m3 --dimension 1024 --wait

  pinak-ray models compare bge-m3 --queries asked.jsonl

  pinak-ray models switch bge-m3                running parts follow within seconds

  pinak-ray models rollback                     the one before is kept complete

  pinak-ray models retry                        what was refused, now and not later

  pinak-ray models remove all-MiniLM-L6-v2      its vectors go, and with them the way back
"""

Name = Annotated[str, typer.Argument(help="The model's name, NAME:DIMENSION, or its number.")]


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


def _on_database(settings: Settings, work: Callable[[Database], Awaitable[R]]) -> R:
    async def run() -> R:
        database = await Database.open(
            dsn_of(settings),
            service_connections=2,
            reader_connections=2,
            statement_timeout_s=300.0,
            name="pinak-ray models",
        )
        async with database:
            return await work(database)

    return asyncio.run(run())


def list_models(
    home: Home = None, dsn: Dsn = None, as_json: AsJson = False, verbose: VerboseFlag = False
) -> None:
    """Show each model: which serves, and of how many memories it has the vectors."""
    from pinak_ray.cli.models.shown import described, table
    from pinak_ray.store.models.serving_model import model_statuses

    with Steps(verbose=verbose) as steps:
        steps("counting vectors")
        statuses = _on_database(settings_from(home=home, dsn=dsn), model_statuses)
    if as_json:
        print_json({"models": [described(status) for status in statuses]})
    else:
        stdout().print(table(statuses))


def add(
    kind: Annotated[EmbedderKind, typer.Argument(help="minilm, openai or hashing (tests).")],
    model: Annotated[str | None, typer.Option(help="openai: the endpoint's model.")] = None,
    url: Annotated[str | None, typer.Option(help="openai: the endpoint.")] = None,
    dimension: Annotated[int | None, typer.Option(help="openai, hashing: its dimension.")] = None,
    directory: Annotated[
        Path | None, typer.Option(help="minilm: a directory with the model's files.")
    ] = None,
    query_prefix: Annotated[str, typer.Option(help="openai: said before each query.")] = "",
    passage_prefix: Annotated[str, typer.Option(help="openai: said before each memory.")] = "",
    body: Annotated[
        str, typer.Option(help='openai: extra fields of each request, as JSON: {"truncate": true}.')
    ] = "{}",
    query_body: Annotated[
        str, typer.Option(help='openai: extra fields for queries: {"input_type": "query"}.')
    ] = "{}",
    passage_body: Annotated[
        str, typer.Option(help='openai: extra fields for memories: {"input_type": "passage"}.')
    ] = "{}",
    batch: Annotated[int, typer.Option(min=1, max=2048, help="openai: texts a request.")] = 64,
    key_file: Annotated[Path | None, typer.Option(help="openai: a file with its key.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until every memory has a vector.")] = False,
    home: Home = None,
    dsn: Dsn = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Register a model and have the Indexers embed everything with it, while the other serves."""
    from pinak_ray.cli.models.shown import described, watch_backfill
    from pinak_ray.cli.models.trial import add_candidate, status_named
    from pinak_ray.embedding import EmbedderSpec, EndpointOptions

    settings = settings_from(home=home, dsn=dsn)
    # An actor has another working directory.
    place = directory.absolute() if directory else None
    options = EndpointOptions(
        batch=batch,
        body=_fields("--body", body),
        query_body=_fields("--query-body", query_body),
        passage_body=_fields("--passage-body", passage_body),
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
        key_file=key_file.absolute() if key_file else None,
    )
    spec = EmbedderSpec(
        kind=kind, model=model, url=url, dimension=dimension, directory=place, endpoint=options
    )
    with Steps(verbose=verbose) as steps:

        async def work(database: Database) -> Any:
            steps("loading the model")
            config = settings.stack_config(dsn_of(settings))
            registered = await add_candidate(database, config, spec)
            if wait:
                await watch_backfill(database, registered.id, steps)
            return described(await status_named(database, str(registered.id)))

        added = _on_database(settings, work)
    if as_json:
        print_json(added)
    else:
        stdout().print(f"registered {plain(added['name'])}, {added['coverage']:.1%} embedded")


def compare(
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
    home: Home = None,
    dsn: Dsn = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Ask the serving model and another one the same queries; say how their answers differ."""
    from pinak_ray.cli.models.shown import comparison_table
    from pinak_ray.cli.models.trial import compare_models, queries_from
    from pinak_ray.client.discovery import ClientSettings
    from pinak_ray.records.ids import NamespaceKey

    settings, client = settings_from(home=home, dsn=dsn), ClientSettings()
    key = NamespaceKey(tenant or client.tenant, project or client.project)
    with Steps(verbose=verbose) as steps:

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

        found = _on_database(settings, work)
    if as_json:
        print_json(found)
    else:
        stdout().print(comparison_table(found))


def switch(
    name: Name,
    force: Annotated[bool, typer.Option(help="Even while vectors are missing.")] = False,
    home: Home = None,
    dsn: Dsn = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Let another model serve; refused until its back-fill has ended."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.models.serving_model import switch_to

    async def work(database: Database) -> str:
        model = (await status_named(database, name)).model
        await switch_to(database, model.id, force=force)
        return model.name

    with Steps(verbose=verbose) as steps:
        steps("switching")
        serves = _on_database(settings_from(home=home, dsn=dsn), work)
    _say_who_serves(serves, as_json)


def rollback(
    home: Home = None, dsn: Dsn = None, as_json: AsJson = False, verbose: VerboseFlag = False
) -> None:
    """Let the model serve that served before the last switch."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.models.serving_model import roll_back

    async def work(database: Database) -> str:
        return (await status_named(database, str(await roll_back(database)))).model.name

    with Steps(verbose=verbose) as steps:
        steps("rolling back")
        serves = _on_database(settings_from(home=home, dsn=dsn), work)
    _say_who_serves(serves, as_json)


def remove(
    name: Name,
    home: Home = None,
    dsn: Dsn = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Forget a model that does not serve, and its vectors; one cannot roll back to it any more."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.models.serving_model import remove_model

    async def work(database: Database) -> str:
        model = (await status_named(database, name)).model
        await remove_model(database, model.id)
        return model.name

    with Steps(verbose=verbose) as steps:
        steps("removing vectors")
        removed = _on_database(settings_from(home=home, dsn=dsn), work)
    if as_json:
        print_json({"removed": removed})
    else:
        stdout().print(f"removed {plain(str(removed))}")


def retry(
    name: Annotated[
        str | None, typer.Argument(help="The model's name, NAME:DIMENSION, or its number. All.")
    ] = None,
    home: Home = None,
    dsn: Dsn = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Have the texts that a model refused embedded again now: it may take them since."""
    from pinak_ray.cli.models.trial import status_named
    from pinak_ray.store.indexing.backfill import retry_refused

    async def work(database: Database) -> int:
        model = (await status_named(database, name)).model if name else None
        async with database.service() as connection:
            return await retry_refused(connection, model.id if model else None)

    with Steps(verbose=verbose) as steps:
        steps("asking again")
        retried = _on_database(settings_from(home=home, dsn=dsn), work)
    if as_json:
        print_json({"retried": retried})
    else:
        stdout().print(f"{retried:,} texts are tried again; see `pinak-ray status`")


def _fields(option: str, text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{option} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{option} must be a JSON object")
    return found


def _say_who_serves(name: str, as_json: bool) -> None:
    if as_json:
        print_json({"serves": name})
    else:
        stdout().print(f"{plain(name)} serves; running parts follow within seconds")
