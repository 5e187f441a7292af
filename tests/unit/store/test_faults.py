"""Which database errors are an item's fault is a closed list; the others are a part's state."""

import asyncpg
import pytest

from pinak_ray.records.errors import DatabaseUnavailable, InvalidInput
from pinak_ray.store.faults import is_transient, translated


def an_error(sqlstate: str) -> asyncpg.PostgresError:
    """Return what asyncpg raises for this SQLSTATE, with a text that names a role."""
    error: asyncpg.PostgresError = asyncpg.PostgresError.new(
        {"C": sqlstate, "M": 'of role "secret_name" on relation x', "S": "ERROR"}
    )
    return error


@pytest.mark.parametrize(
    "sqlstate",
    [
        "0A000", "0LP01", "25006", "25P03", "28000", "28P01", "3D000", "3F000", "40001",
        "40P01", "42501", "42601", "42703", "42883", "42P01", "53000", "53100", "53200",
        "53300", "53400", "54011", "54023", "55000", "55006", "55P03", "57014", "57P01",
        "57P03", "57P05", "58000", "58030", "72000", "F0000", "P0001", "XX000", "XX001",
        "XX002", "22023", "22012", "ZZ999", "99XYZ",
    ],
)  # fmt: skip
def test_the_state_of_a_part_is_nobodys_fault(sqlstate: str) -> None:
    """Also an SQLSTATE that nobody has met: it may pass, and the caller hears which it was."""
    error = an_error(sqlstate)

    assert is_transient(error)
    assert isinstance(translated(error), DatabaseUnavailable)
    assert sqlstate in str(translated(error))


@pytest.mark.parametrize(
    "sqlstate",
    ["22000", "22001", "22003", "22008", "22021", "22P02", "22P05", "23505", "23514", "54000"],
)  # fmt: skip
def test_what_the_row_holds_is_its_own_fault(sqlstate: str) -> None:
    """Trying again would help nobody."""
    assert not is_transient(an_error(sqlstate))
    assert isinstance(translated(an_error(sqlstate)), InvalidInput)


@pytest.mark.parametrize("sqlstate", ["25006", "28P01", "42501", "53300", "57P01"])
def test_callers_are_told_in_our_words(sqlstate: str) -> None:
    """The server's own text names roles and relations: the log has it, a caller does not."""
    assert "secret_name" not in str(translated(an_error(sqlstate)))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(), FileNotFoundError("socket"), TimeoutError(),
        asyncpg.InterfaceError("closed"), asyncpg.ConnectionFailureError("gone"),
        asyncpg.TargetServerAttributeNotMatched("none"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_connection_that_is_not_there_is_the_state_of_a_part(error: Exception) -> None:
    """Whatever raised it: the socket, the time limit, the driver."""
    assert is_transient(error)
    assert isinstance(translated(error), DatabaseUnavailable)
