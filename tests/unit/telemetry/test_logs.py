"""Logs are JSON on standard error, and hold nothing that agents or callers keep to themselves."""

import json
from collections.abc import Iterator

import pytest
import structlog

from pinak_ray.records.errors import InvalidInput
from pinak_ray.telemetry.logs import configure_logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_an_event_is_one_json_object_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """One event is one line of JSON with its level and its time in UTC."""
    configure_logs("info", json=True)
    structlog.get_logger().info("started", port=8000)
    out, err = capsys.readouterr()
    event = json.loads(err)
    assert out == ""
    assert (event["event"], event["level"], event["port"]) == ("started", "info", 8000)
    assert event["timestamp"].endswith("Z")


def test_no_terminal_means_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no person is looking, logs are JSON without being asked."""
    configure_logs()
    structlog.get_logger().info("started")
    assert json.loads(capsys.readouterr().err)["event"] == "started"


def test_a_person_gets_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """The console form is for reading, with the same fields blanked."""
    configure_logs("info", json=False)
    structlog.get_logger().info("started", content="a secret plan")
    err = capsys.readouterr().err
    assert "started" in err
    assert "secret plan" not in err


def test_lower_levels_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """Only events of the level and above are written."""
    configure_logs("warning", json=True)
    structlog.get_logger().info("started")
    assert capsys.readouterr().err == ""


def test_an_unknown_level_is_refused() -> None:
    """A mistyped level is an error, not silence."""
    with pytest.raises(InvalidInput, match="log level"):
        configure_logs("loud")


@pytest.mark.parametrize("name", ["content", "token", "query", "vector", "authorization", "value"])
def test_private_fields_are_blanked(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Memories and tokens do not reach a log, however deep they are in the event."""
    configure_logs("info", json=True)
    structlog.get_logger().info("wrote", **{name: "xyzzy"}, nested={"list": [{name: "xyzzy"}]})
    assert "xyzzy" not in capsys.readouterr().err


def test_an_exception_is_logged_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    """A database error quotes the values it refused; the log has its type and frames only."""
    configure_logs("info", json=True)
    try:
        raise ValueError("invalid input: 'xyzzy'")
    except ValueError:
        structlog.get_logger().exception("write_failed")
    event = json.loads(capsys.readouterr().err)
    assert event["error"] == "ValueError"
    assert "test_an_exception_is_logged" in event["frames"][0]
    assert "xyzzy" not in json.dumps(event)


def test_what_json_cannot_hold_is_still_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """A log line comes out whatever is in it."""
    configure_logs("info", json=True)
    structlog.get_logger().info("odd", thing=object(), broken="\ud800")
    structlog.get_logger().info("odd", thing=object())
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["event"]
    assert json.loads(second)["thing"] == "<object>"
