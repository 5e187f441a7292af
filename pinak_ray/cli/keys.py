"""`pinak-ray keys`: the keys that sign tokens; rotate them, and withdraw one that was stolen."""

from typing import Annotated

import typer
from rich.table import Table

from pinak_ray.cli.console import plain
from pinak_ray.cli.local_stack import on_database
from pinak_ray.cli.options import Stack, with_options
from pinak_ray.cluster.signing import own_ring, rotate_keys, shown_keys, withdraw_key

__all__ = ["register"]

_EPILOG = """
[bold]Examples[/bold]

  pinak-ray keys rotate            a new key signs; earlier tokens hold until they expire

  pinak-ray keys list              each key, and which one signs

  pinak-ray keys withdraw KID      every token of that key ends, within half a minute everywhere
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, epilog=_EPILOG, rich_markup_mode="rich")
    group.command("list")(list_keys)
    group.command()(rotate)
    group.command()(withdraw)
    app.add_typer(group, name="keys", help="Keys that sign tokens: list, rotate, withdraw.")


@with_options
def list_keys(stack: Stack) -> None:
    """Show each key whose tokens may still hold, oldest first."""
    ring = own_ring(stack.settings())
    keys = on_database(stack.settings(), lambda database: shown_keys(ring, database))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for key in keys:
        retired = f"retired {key['retired_at']:%Y-%m-%d}" if key["retired_at"] else ""
        table.add_row(plain(key["kid"]), "signs" if key["signs"] else retired)
    stack.answer({"keys": keys}, table)


@with_options
def rotate(stack: Stack) -> None:
    """Sign with a new key; what earlier ones signed holds until it expires."""
    ring = own_ring(stack.settings())
    turned = on_database(stack.settings(), lambda database: rotate_keys(ring, database))
    kid = turned.current.kid
    stack.answer({"signs": kid}, f"{kid} signs; earlier tokens hold until they expire")


@with_options
def withdraw(
    stack: Stack,
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key's id, of `keys list`.")],
) -> None:
    """Forget a key that was stolen: every token of it ends."""
    ring = own_ring(stack.settings())
    on_database(stack.settings(), lambda database: withdraw_key(ring, database, kid))
    stack.answer({"withdrawn": kid}, f"{plain(kid)} is withdrawn; its tokens end within 30 s")
