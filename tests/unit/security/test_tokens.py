"""Tokens hold only for whom, for what and for as long as they say."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from pinak_ray.records.errors import Forbidden, InvalidInput, Unauthorized
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.keys import PublicKey, SigningKey
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import Principal, issue_token, key_id, verify_token

HOME = NamespaceKey("acme", "shop")
KEY = SigningKey.generate()
KEYS = {KEY.kid: KEY.public}


def issue(**options: Any) -> str:
    """Return a token of KEY."""
    return issue_token(KEY, "deployer", namespace=HOME, **{"scopes": [Scope.READ], **options})


def claims(**changes: Any) -> dict[str, Any]:
    """Return good claims with changes; a value of None takes the claim away."""
    now = datetime.now(UTC)
    good = {
        "iss": "pinak-ray",
        "aud": "pinak-ray",
        "sub": "deployer",
        "tenant": "acme",
        "project": "shop",
        "scope": "memory.read",
        "iat": now,
        "nbf": now,
        "exp": now + timedelta(hours=1),
        "jti": "1",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def sign(payload: dict[str, Any], **options: Any) -> str:
    """Return these claims signed by KEY."""
    headers = options.pop("headers", {"kid": KEY.kid})
    return jwt.encode(payload, KEY.private, algorithm="EdDSA", headers=headers)


def part(value: Any) -> str:
    """Return one base64url part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value, default=str).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_an_issued_token_verifies() -> None:
    """A token speaks for its subject, in its namespace, with its scopes."""
    principal = verify_token(issue(scopes="memory.read memory.write"), KEYS)
    assert principal == Principal("deployer", HOME, frozenset({Scope.READ, Scope.WRITE}))


def test_claims_are_complete() -> None:
    """Every token has an id, a start and an end, and names its key."""
    token = issue()
    body = jwt.decode(token, options={"verify_signature": False})
    assert set(body) == set(claims())
    assert body["exp"] - body["iat"] == timedelta(days=30).total_seconds()
    assert jwt.get_unverified_header(token)["kid"] == KEY.kid == key_id(token)


def test_two_tokens_differ() -> None:
    """No two tokens have the same id."""
    assert issue() != issue()


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "no token"),
        ("x", "malformed"),
        ("a.b.c", "malformed"),
        ("é.é.é", "malformed"),
        ("a" * 9_000, "malformed"),
        (sign(claims(), headers={}), "names no key"),
        (sign(claims(), headers={"kid": "other"}), "unknown key"),
        (sign(claims(exp=datetime.now(UTC) - timedelta(seconds=60))), "expired"),
        (sign(claims(nbf=datetime.now(UTC) + timedelta(hours=1))), "not valid yet"),
        (sign(claims(aud="other")), "another audience"),
        (sign(claims(iss="other")), "another issuer"),
        (sign(claims(tenant="")), "tenant is empty"),
        (sign(claims(project=7)), "project must be a string"),
        (sign(claims(scope=7)), "scope"),
        (sign(claims(scope=[1])), "scope"),
        *[(sign(claims(**{name: None})), f"lacks the claim {name}") for name in claims()],
    ],
)
def test_a_bad_token_is_refused_with_its_reason(token: str, says: str) -> None:
    """A refusal says what is wrong, so that the caller knows what to do."""
    with pytest.raises(Unauthorized, match=says):
        verify_token(token, KEYS)


def test_the_clocks_may_differ_a_little() -> None:
    """A token that ended 10 s ago still holds: clocks differ."""
    assert verify_token(sign(claims(exp=datetime.now(UTC) - timedelta(seconds=10))), KEYS)


def test_another_keys_signature_does_not_hold() -> None:
    """Naming our key does not help a token that another key signed."""
    other = SigningKey.generate()
    forged = jwt.encode(claims(), other.private, algorithm="EdDSA", headers={"kid": KEY.kid})
    with pytest.raises(Unauthorized, match="signature"):
        verify_token(forged, KEYS)


def test_changed_claims_do_not_hold() -> None:
    """Nobody can give a token another namespace."""
    head, _, signature = issue().split(".")
    moved = {**claims(tenant="rival"), "iat": 1, "nbf": 1, "exp": 9_999_999_999}
    with pytest.raises(Unauthorized, match="signature"):
        verify_token(f"{head}.{part(moved)}.{signature}", KEYS)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "RS256"])
def test_the_algorithm_is_pinned(algorithm: str) -> None:
    """Neither `none` nor a public key used as an HMAC secret gets in."""
    signed = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': KEY.kid})}.{part(claims())}"
    for secret in (KEY.public.pem.encode(), KEY.public.raw):
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        for signature in ("", part(mac)):
            with pytest.raises(Unauthorized, match=r"EdDSA|malformed"):
                verify_token(f"{signed}.{signature}", KEYS)


def test_a_retired_keys_tokens_hold_for_the_overlap() -> None:
    """A rotation ends no token early, and a retired key's tokens end with the overlap."""
    retired = PublicKey(KEY.kid, KEY.public.raw, datetime.now(UTC) - timedelta(hours=1))
    keys = {KEY.kid: retired}
    assert verify_token(issue(), keys, overlap=timedelta(hours=2))
    with pytest.raises(Unauthorized, match="retired"):
        verify_token(issue(), keys, overlap=timedelta(minutes=30))


def test_a_list_of_scopes_is_read_too() -> None:
    """Other issuers write scopes as a list; unknown ones grant nothing."""
    token = sign(claims(scope=["memory.write", "unheard.of"]))
    assert verify_token(token, KEYS).scopes == {Scope.WRITE}


def test_require_names_the_lacking_scope() -> None:
    """A refusal names the scope that the token lacks."""
    principal = verify_token(issue(scopes=["memory.write"]), KEYS)
    principal.require(Scope.WRITE)
    with pytest.raises(Forbidden, match=r"memory\.read"):
        principal.require(Scope.READ)


def test_admin_includes_all_scopes() -> None:
    """An admin token needs no other scope."""
    principal = verify_token(issue(scopes=["memory.admin"]), KEYS)
    for scope in Scope:
        principal.require(scope)


@pytest.mark.parametrize(
    "options",
    [
        {"scopes": []},
        {"scopes": ["memory.reed"]},
        {"lifetime": timedelta(0)},
        {"lifetime": timedelta(days=4_000)},
    ],
)
def test_issuing_checks_its_input(options: dict[str, Any]) -> None:
    """No token without a known scope and a sane lifetime is made."""
    with pytest.raises(InvalidInput):
        issue(**options)
