"""What names the data may be lost; an empty database is never started over it without a word."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinak_ray.cluster.postgres.config import ServerSettings
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.records.errors import SetupError
from tests.support.places import reachable_place

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root's data is placed elsewhere"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that was started in a private directory, so that its data lies elsewhere."""
    place = reachable_place()
    (tmp_path / "private").mkdir(mode=0o700)
    server = EmbeddedPostgres(
        tmp_path / "private" / "data",
        durable=False,
        settings=ServerSettings(shared_buffers_mb=32, max_connections=20),
        system_dir=place / "system",
    )
    server.start()
    yield server
    server.stop()
    shutil.rmtree(place)


@pytest.fixture
def pointer(server: EmbeddedPostgres, tmp_path: Path) -> Path:
    """The file that says where the data lies."""
    return tmp_path / "private" / "data" / "moved-to"


def test_data_that_nothing_names_stops_a_start(server: EmbeddedPostgres, pointer: Path) -> None:
    """A lost pointer is told with what to write into it, and doing so brings the data back."""
    dsn, home = server.dsn, server.home
    server.stop()
    pointer.unlink()

    with pytest.raises(SetupError, match=f"{home}.*echo {home.name} > {pointer}"):
        server.start()
    assert [path.name for path in home.parent.iterdir() if path != home.parent / "pg"] == [
        home.name
    ]

    pointer.write_text(home.name)
    assert server.start() == dsn


def test_a_named_place_without_data_stops_a_start(server: EmbeddedPostgres, pointer: Path) -> None:
    """The place may be a disk that is not mounted: it is not filled with an empty database."""
    home = server.home
    server.stop()
    shutil.move(home, home.with_name("away"))

    with pytest.raises(SetupError, match="it is not there"):
        server.start()
    assert not home.exists()

    shutil.move(home.with_name("away"), home)
    server.start()


def test_a_pointer_that_is_no_text_is_named(server: EmbeddedPostgres, pointer: Path) -> None:
    """A damaged pointer is told as one."""
    kept = pointer.read_bytes()
    pointer.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SetupError, match="moved-to is damaged"):
        server.start()
    pointer.write_bytes(kept)
