"""A start that fails ends what it had started, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import up
from pinak_ray.records.errors import SetupError

pytestmark = pytest.mark.postgres


@pytest.fixture
def home(reachable_dir: Path) -> Iterator[Path]:
    """A home whose PostgreSQL is ended whatever a test leaves."""
    place = reachable_dir / "failing"
    yield place
    EmbeddedPostgres(place / "postgres").stop()


def settings_of(home: Path) -> Settings:
    """Return a small stack's settings."""
    return Settings(home=home, http_port=0, durable=False, embedder="hashing")


@pytest.fixture
def no_model(home: Path) -> Settings:
    """Settings whose embedding model is not where they say."""
    without = {"embedder": "minilm", "model_dir": home / "nothing"}
    return settings_of(home).model_copy(update=without)


@pytest.fixture
def no_room(home: Path) -> Iterator[Settings]:
    """Settings under which Ray cannot start: its directory is somebody else's link."""
    directory = RayNode(home).temporary.parent
    directory.symlink_to("/")
    yield settings_of(home)
    directory.unlink()


@pytest.mark.parametrize(
    ("which", "why"), [("no_model", "nothing"), ("no_room", "belongs to somebody else")]
)
def test_what_a_failed_start_started_is_ended(
    home: Path, which: str, why: str, request: pytest.FixtureRequest
) -> None:
    """Without a model, or without a Ray: the reason is told, and PostgreSQL runs no longer."""
    steps: list[str] = []
    with pytest.raises(SetupError, match=why):
        up(request.getfixturevalue(which), progress=steps.append)

    assert EmbeddedPostgres(home / "postgres").postmaster_pid is None
    assert RayNode(home).pid() is None
    assert "ending PostgreSQL, which this start had started" in steps


def test_what_ran_before_runs_on(home: Path, no_model: Settings) -> None:
    """A PostgreSQL that somebody had started is not this start's to end."""
    server = EmbeddedPostgres(home / "postgres", durable=False)
    server.start()
    before = server.postmaster_pid
    with pytest.raises(SetupError):
        up(no_model)

    assert server.postmaster_pid == before
    assert server.is_alive()
