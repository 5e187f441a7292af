"""Connection strings as users paste them mean the same to our driver."""

import pytest

from pinak_ray.records.connection_strings import plain_dsn

PLAIN = "postgresql://app:pw@db.example:5432/app"


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql+asyncpg", "postgresql+psycopg2", "jdbc:postgresql", "POSTGRES"],
)
def test_the_scheme_of_any_driver_is_taken(scheme: str) -> None:
    """SQLAlchemy, Heroku and JDBC write others than libpq."""
    assert plain_dsn(PLAIN.replace("postgresql", scheme, 1)) == PLAIN


@pytest.mark.parametrize(
    "others",
    [
        "channel_binding=require",
        "connect_timeout=15",
        "keepalives=1&keepalives_idle=30&tcp_user_timeout=5000",
        "gssencmode=disable",
        "pgbouncer=true&connection_limit=1&pool_timeout=20",
        "schema=public&sslaccept=strict",
        "prepareThreshold=0&statement_cache_size=0",
        "load_balance_hosts=random&require_auth=scram-sha-256",
    ],
)
def test_what_tells_another_driver_how_to_connect_is_left_out(others: str) -> None:
    """The server would take it for a setting of its own, and refuse."""
    assert plain_dsn(f"{PLAIN}?{others}") == PLAIN
    assert plain_dsn(f"{PLAIN}?{others}&sslmode=require") == f"{PLAIN}?sslmode=require"


@pytest.mark.parametrize(
    "dsn",
    [
        f"{PLAIN}?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem",
        f"{PLAIN}?target_session_attrs=read-write",
        f"{PLAIN}?options=-c%20geqo%3Doff",
        "postgresql://app:p%40w%2Fx@h1:5432,h2:5433/app?application_name=mine",
        "postgresql://app@[::1]:5432/app",
        "postgresql:///app?host=%2Frun%2Fpostgresql",
    ],
)
def test_what_the_driver_knows_stays(dsn: str) -> None:
    """Hosts, TLS, options and escaped characters are as they were."""
    assert plain_dsn(dsn) == dsn


def test_keys_and_values_become_a_url() -> None:
    """libpq's other form, quotes and escapes included."""
    given = r"host=db.example port=5433 user=app password='it''s' dbname=app"
    assert plain_dsn(given) == given  # a doubled quote is none of libpq's
    given = r"host=db.example port=5433 user=app password='it\'s a b' dbname=app connect_timeout=3"
    assert plain_dsn(given) == (
        "postgresql:///?host=db.example&port=5433&user=app&password=it%27s%20a%20b&dbname=app"
    )


def test_tls_as_others_write_it() -> None:
    """`ssl=true` is `sslmode=require`; the system's certificates are a file."""
    assert plain_dsn(f"{PLAIN}?ssl=true") == f"{PLAIN}?sslmode=require"
    assert plain_dsn(f"{PLAIN}?ssl=false") == f"{PLAIN}?sslmode=disable"
    assert "sslrootcert=system" not in plain_dsn(f"{PLAIN}?sslmode=verify-full&sslrootcert=system")


@pytest.mark.parametrize("text", ["", "nonsense", "mysql://h/db", "a=b", "postgresql://u:p?w@h/db"])
def test_what_is_none_is_left_to_who_connects(text: str) -> None:
    """Nothing is guessed: the error names the form that is wanted."""
    assert plain_dsn(text) == text
