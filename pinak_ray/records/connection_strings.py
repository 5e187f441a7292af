"""Connection strings as users paste them, in the form that the driver takes.

Neon, Supabase, Prisma, SQLAlchemy, JDBC and libpq each write more than asyncpg reads: it sends what
it does not know to the server as a setting, which the server refuses.
"""

import re
import ssl
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

__all__ = ["plain_dsn"]

_SCHEME = re.compile(r"^(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_PAIR = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)+))\s*")

# How another driver connects and keeps a connection; we have our own times, pools and statements.
# `channel_binding` and `require_auth` ask for more than the driver can check.
_OTHERS = frozenset({
    "channel_binding", "connect_timeout", "connection_limit", "fallback_application_name",
    "gssdelegation", "gssencmode", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "load_balance_hosts", "pgbouncer", "pool_max_conns", "pool_mode",
    "pool_size", "pool_timeout", "prepared_statement_cache_size", "prepared_statements",
    "preparethreshold", "replication", "require_auth", "requirepeer", "schema", "sslaccept",
    "sslcertmode", "sslcompression", "sslfactory", "sslsni", "statement_cache_size",
    "socket_timeout", "sockettimeout", "supa", "tcp_user_timeout", "uselibpqcompat",
    "workaround",
})  # fmt: skip


def plain_dsn(text: str) -> str:
    """Return a connection string that the driver takes, with the same meaning.

    Takes URLs of any driver's scheme and libpq's `key=value` form; leaves out what tells another
    driver how to connect. What is neither is returned as it is: whoever connects says so.
    """
    text = text.strip()
    scheme = _SCHEME.match(text)
    url = f"postgresql://{text[scheme.end() :]}" if scheme else _url_of(text)
    if url is None:
        return text
    try:
        parts = urlsplit(url)
        strictly = bool(parts.query)
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=strictly)
    except ValueError:
        return text
    kept = [pair for key, value in given if (pair := _parameter(key, value)) is not None]
    query = f"?{urlencode(kept, quote_via=quote)}" if kept else ""
    return f"postgresql://{parts.netloc}{parts.path}{query}"


def _parameter(key: str, value: str) -> tuple[str, str] | None:
    key = key.strip()
    match key.lower():
        case name if name in _OTHERS:
            return None
        case "ssl":  # as JDBC and Node.js write it
            wanted = value.lower() in ("", "true", "1", "yes", "on", "require")
            return "sslmode", "require" if wanted else "disable"
        case "sslrootcert" if value == "system":
            found = ssl.get_default_verify_paths()
            return "sslrootcert", found.cafile or found.openssl_cafile
        case "hostaddr":
            return "host", value
        case _:
            return key, value


def _url_of(text: str) -> str | None:
    """Return the URL of libpq's `host=... dbname=...`; None where it is none."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _PAIR.match(text, at)
        if found is None:
            return None
        quoted = found[2] if found[2] is not None else found[3]
        pairs[found[1]] = re.sub(r"\\(.)", r"\1", quoted)
        at = found.end()
    if not pairs.keys() & {"host", "hostaddr", "dbname", "user", "service"}:
        return None
    if "host" in pairs:
        pairs.pop("hostaddr", None)
    return f"postgresql:///?{urlencode(pairs, quote_via=quote)}"
