"""`pinak-ray keys`: what a rotation and a withdrawal do to the tokens that are out."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pinak_ray.cli.application import app
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.tokens import mint
from pinak_ray.records.errors import Unauthorized
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.keys import KeyRing
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import verify_token
from pinak_ray.store.database import Database
from pinak_ray.store.signing_keys import live_keys, publish_keys

pytestmark = pytest.mark.postgres


@pytest.fixture
def home(tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one key, over this test's database."""
    monkeypatch.setenv("PINAK_HOME", str(tmp_path))
    monkeypatch.setenv("PINAK_DSN", dsn)
    KeyRing.load_or_create(tmp_path / "keys")
    return tmp_path


def run(*arguments: str) -> tuple[int, Any]:
    """Run the command; return its exit code and what it says as JSON."""
    result = CliRunner().invoke(app, ["keys", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout)


def signed(home: Path) -> str:
    """Return a token that the home signs now."""
    return mint(
        Settings(home=home),
        "ada",
        namespace=NamespaceKey("acme", "web"),
        scopes=(Scope.READ,),
        lifetime=timedelta(hours=1),
    )


async def holds(database: Database, token: str) -> bool:
    """Tell whether a gateway would take it."""
    async with database.service() as connection:
        keys = await live_keys(connection)
    try:
        verify_token(token, keys)
    except Unauthorized:
        return False
    return True


async def published(database: Database, home: Path) -> None:
    """Publish the home's keys, as each start does."""
    async with database.service() as connection:
        await publish_keys(connection, KeyRing.load_or_create(home / "keys").public_keys)


async def test_a_rotation_ends_no_token_and_a_withdrawal_ends_all_of_its_key(
    database: Database, home: Path
) -> None:
    """A new key signs at once; a stolen one is forgotten, and no start brings it back."""
    await published(database, home)
    stolen, before = KeyRing.load_or_create(home / "keys").current.kid, signed(home)

    code, rotated = await in_thread("rotate")
    assert code == 0
    after = signed(home)
    assert rotated["signs"] != stolen
    assert await holds(database, before)
    assert await holds(database, after)
    _, listed = await in_thread("list")
    assert [(key["kid"], key["signs"], key["retired_at"] is None) for key in listed["keys"]] == [
        (stolen, False, False), (rotated["signs"], True, True),
    ]  # fmt: skip

    code, _ = await in_thread("withdraw", stolen)
    assert code == 0
    await published(database, home)
    assert not await holds(database, before)
    assert await holds(database, after)


async def test_the_key_that_signs_and_an_unknown_one_are_not_withdrawn(
    database: Database, home: Path
) -> None:
    """It says what to do instead, and changes nothing."""
    await published(database, home)
    current = KeyRing.load_or_create(home / "keys").current.kid
    for kid, advice in ((current, "keys rotate"), ("nobody", "keys list")):
        code, said = await in_thread("withdraw", kid)
        assert code == 1
        assert advice in json.dumps(said)
    assert await holds(database, signed(home))


async def in_thread(*arguments: str) -> tuple[int, Any]:
    """Run the command as a process of its own would: on no running loop."""
    return await asyncio.to_thread(run, *arguments)
