"""`pinak-ray up`, `pinak-ray scale` and `pinak-ray down`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pinak_ray.cli.console import Steps, plain, print_json, stdout
from pinak_ray.cli.local_stack import home_option, is_ready, token_command
from pinak_ray.cli.options import (
    AsJson,
    Home,
    HttpPort,
    Stack,
    VerboseFlag,
    settings_from,
    with_options,
)
from pinak_ray.cluster.settings import Settings

__all__ = ["bring_up", "register"]

_UP_EPILOG = """
[bold]Examples[/bold]

  pinak-ray up                                      PostgreSQL, Ray, actors and gateway, ~15 s

  pinak-ray up --home /srv/memory --http-port 9000  another place, another port

  pinak-ray up --address auto                       onto the Ray cluster that runs here

  PINAK_DSN=postgresql://me@db/pinak pinak-ray up   your own PostgreSQL (16+, pgvector)

A second `up` finds what runs and starts only what is missing.
"""

_DOWN_EPILOG = """
[bold]Examples[/bold]

  pinak-ray down                  drain, then stop everything; data stays

  pinak-ray down && pinak-ray up  restart

A start that broke off half way is stopped too.
"""

_RUN_EPILOG = """
[bold]Examples[/bold]

  pinak-ray run                                     as `up`, in the foreground; Ctrl-C stops it

  PINAK_DSN=postgresql://me@db/pinak pinak-ray run  in a container

SIGTERM drains and stops. Ends with 1 when a part is lost for good.
"""

_SCALE_EPILOG = """
[bold]Examples[/bold]

  pinak-ray scale --hosts 4       four agent hosts from now on, while the swarm runs

  pinak-ray scale --hosts 1       and back; what was acknowledged moves with its agents

Until the stack stops: `pinak-ray up --hosts N` or PINAK_HOSTS is what a start begins with.
"""

_PARTS = "How many of each part"
_Count = int | None


def _count(name: str, what: str) -> Any:
    return typer.Option(name, min=1, help=what, rich_help_panel=_PARTS, show_default=False)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=_UP_EPILOG)(up)
    app.command(epilog=_RUN_EPILOG)(run)
    app.command(epilog=_SCALE_EPILOG)(scale)
    app.command(epilog=_DOWN_EPILOG)(down)


@with_options
def up(
    stack: Stack,
    http_port: HttpPort = None,
    http_host: Annotated[
        str | None, typer.Option(help="Where the gateway listens.", show_default="127.0.0.1")
    ] = None,
    hosts: Annotated[_Count, _count("--hosts", "Agent hosts. One per core.")] = None,
    writers: Annotated[_Count, _count("--writers", "Writers. 1.")] = None,
    gateways: Annotated[_Count, _count("--gateways", "Gateway replicas. 2.")] = None,
    indexers: Annotated[_Count, _count("--indexers", "Indexers. 1.")] = None,
    recallers: Annotated[_Count, _count("--recallers", "Recallers. 1.")] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="A Ray cluster that runs, to start the parts on: auto, or HOST:PORT. Nothing of "
            "it is changed, and `down` removes our parts alone.",
            show_default="a Ray of its own",
        ),
    ] = None,
    num_cpus: Annotated[_Count, _count("--num-cpus", "Cores that Ray may give away.")] = None,
    embedder: Annotated[
        str | None, typer.Option(help="minilm, e5 (many languages), openai or hashing.")
    ] = None,
    model_dir: Annotated[
        Path | None, typer.Option(help="A directory with the embedding model's files.")
    ] = None,
) -> None:
    """Start the stack on this machine, or whatever of it is missing."""
    settings = stack.settings(
        http_port=http_port, http_host=http_host, hosts=hosts,
        writers=writers, gateways=gateways, indexers=indexers, recallers=recallers,
        ray_address=address, num_cpus=num_cpus, embedder=embedder, model_dir=model_dir,
    )  # fmt: skip
    with Steps(verbose=stack.verbose) as steps:
        url, was_up = bring_up(settings, steps)
    if stack.as_json:
        print_json({"url": url, "home": str(settings.home), "was_up": was_up})
    else:
        _greet(settings, url, was_up=was_up)


def bring_up(settings: Settings, steps: Steps) -> tuple[str, bool]:
    """Return the stack's URL, starting it unless it is whole; and whether it was."""
    steps("looking for a running stack")
    url = is_ready(settings.home)
    if url is not None:
        return url, True
    from pinak_ray.cluster.stack import up as start

    return start(settings, progress=steps).url, False


@with_options
def run(stack: Stack, http_port: HttpPort = None) -> None:
    """Start the stack, stay in the foreground, and stop it on SIGTERM or Ctrl-C."""
    settings = stack.settings(http_port=http_port)
    from pinak_ray.cluster.foreground import until_stopped
    from pinak_ray.cluster.stack import down as stop

    try:
        with Steps(verbose=stack.verbose) as steps:
            url, _ = bring_up(settings, steps)
        stdout().print(f"up  {plain(url)}; SIGTERM or Ctrl-C stops it")
        until_stopped(settings)
    finally:
        with Steps(verbose=stack.verbose) as steps:
            stop(settings, progress=steps)


def scale(
    hosts: Annotated[int, typer.Option(min=1, help="How many agent hosts there are to be.")],
    home: Home = None,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Add or remove agent hosts while a swarm runs; no acknowledged operation is lost."""
    settings = settings_from(home=home)
    from pinak_ray.cluster.stack import scale as change

    with Steps(verbose=verbose) as steps:
        steps("moving shards")
        placement = change(settings, hosts)
    shards = {name: len(placement.shards_of(name)) for name in placement.all_hosts}
    if as_json:
        print_json({"version": placement.version, "hosts": shards})
    else:
        for name, count in shards.items():
            stdout().print(f"{plain(name)}  {count} shards")


@with_options
def down(
    stack: Stack,
) -> None:
    """Stop the stack, also one that started half way; what was acknowledged stays."""
    settings = stack.settings()
    from pinak_ray.cluster.stack import down as stop

    with Steps(verbose=stack.verbose) as steps:
        stopped = stop(settings, progress=steps)
    if stack.as_json:
        print_json({"home": str(settings.home), "stopped": stopped})
    elif stopped:
        stdout().print(f"stopped; the data stays in {plain(str(settings.home))}")
    else:
        stdout().print(f"nothing ran in {plain(str(settings.home))}")


def _greet(settings: Settings, url: str, *, was_up: bool) -> None:
    token = token_command(settings)
    where = "your PostgreSQL" if settings.dsn is not None else str(settings.home)
    home = home_option(settings)
    out = stdout()
    out.print(f"[bold green]{'already up' if was_up else 'up'}[/bold green]  {plain(url)}")
    out.print(f"  data   {plain(where)}")
    out.print(f"  stop   {plain(f'pinak-ray down{home}')}")
    out.print("  try")
    out.print(
        f"""    curl -s {url}/v1/nudges -H "Authorization: Bearer $({token})" \\
      -H 'Content-Type: application/json' \\
      -d '{{"agent": "me", "intent": "drop the orders table in production"}}'""",
        markup=False,
    )
    out.print(f"    {plain(f'pinak-ray demo{home}')}")
