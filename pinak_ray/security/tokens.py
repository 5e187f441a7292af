"""Tokens: JWTs that name a subject, one namespace and scopes, signed with EdDSA."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt

from pinak_ray.records.errors import Forbidden, InvalidInput, Unauthorized
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.limits import check_name
from pinak_ray.security.keys import ALGORITHM, PublicKey, SigningKey
from pinak_ray.security.scopes import Scope, granted, scopes_named

__all__ = ["Principal", "issue_token", "key_id", "verify_token"]

ISSUER = "pinak-ray"
AUDIENCE = "pinak-ray"
DEFAULT_LIFETIME = timedelta(days=30)
MAX_LIFETIME = timedelta(days=3650)
# As long as a default token lives, so that a rotation ends none of them early. A stolen key is
# not retired but withdrawn.
DEFAULT_OVERLAP = DEFAULT_LIFETIME
LEEWAY_S = 30
# Ours have some 600 bytes; parsing must not be a way to keep a gateway busy.
MAX_TOKEN_BYTES = 8_192

_REQUIRED = ["iss", "aud", "sub", "tenant", "project", "scope", "iat", "nbf", "exp", "jti"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a subject (an agent or a user), walled into one namespace."""

    subject: str
    namespace: NamespaceKey
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """Return if the token grants `scope`, or raise Forbidden that names it."""
        if scope not in self.scopes:
            held = ", ".join(sorted(self.scopes)) or "no scope"
            raise Forbidden(f"this call needs the scope {scope}; the token grants {held}")


def issue_token(
    key: SigningKey,
    subject: str,
    *,
    namespace: NamespaceKey,
    scopes: Iterable[str],
    lifetime: timedelta = DEFAULT_LIFETIME,
    now: datetime | None = None,
) -> str:
    """Return a signed token; raises InvalidInput for a bad name, scope or lifetime."""
    if not timedelta(0) < lifetime <= MAX_LIFETIME:
        raise InvalidInput(f"a token's lifetime must be above 0 and at most {MAX_LIFETIME.days} d")
    issued = datetime.now(UTC) if now is None else now
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": check_name("subject", subject),
        "tenant": check_name("tenant", namespace.tenant),
        "project": check_name("project", namespace.project),
        "scope": " ".join(scopes_named(scopes)),
        "iat": issued,
        "nbf": issued,
        "exp": issued + lifetime,
        "jti": str(uuid4()),
    }
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})


def key_id(token: str) -> str:
    """Return the id of the key that a token claims; raises Unauthorized when it has no form."""
    if not token:
        raise Unauthorized("the request carries no token; send `Authorization: Bearer <token>`")
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise Unauthorized("the token is malformed")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise Unauthorized("the token is malformed") from None
    if header.get("alg") != ALGORITHM:
        raise Unauthorized(f"the token is not signed with {ALGORITHM}")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise Unauthorized("the token names no key (kid)")
    return kid


def verify_token(
    token: str,
    keys: Mapping[str, PublicKey],
    *,
    overlap: timedelta = DEFAULT_OVERLAP,
) -> Principal:
    """Return who the token speaks for; raises Unauthorized that says why it does not hold.

    A retired key's tokens hold until its retirement plus `overlap`.
    """
    key = keys.get(key_id(token))
    if key is None:
        raise Unauthorized("the token is signed by an unknown key")
    if key.retired_at is not None and datetime.now(UTC) > key.retired_at + overlap:
        raise Unauthorized("the token is signed by a key that is retired; ask for a new token")
    return _principal(_claims(token, key))


def _claims(token: str, key: PublicKey) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.load(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY_S,
            options={"require": _REQUIRED},
        )
    except jwt.ExpiredSignatureError:
        raise Unauthorized("the token has expired; ask for a new one") from None
    except jwt.ImmatureSignatureError:
        raise Unauthorized("the token is not valid yet; check the clocks") from None
    except jwt.InvalidAudienceError:
        raise Unauthorized(f"the token is for another audience than {AUDIENCE}") from None
    except jwt.InvalidIssuerError:
        raise Unauthorized(f"the token is from another issuer than {ISSUER}") from None
    except jwt.MissingRequiredClaimError as error:
        raise Unauthorized(f"the token lacks the claim {error.claim}") from None
    except jwt.InvalidSignatureError:
        raise Unauthorized("the token's signature does not hold") from None
    except jwt.InvalidTokenError:
        raise Unauthorized("the token is malformed") from None
    return claims


def _principal(claims: Mapping[str, Any]) -> Principal:
    scope = claims["scope"]
    names = scope.split() if isinstance(scope, str) else scope
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Unauthorized("the token's scope is neither a text nor a list of texts")
    try:
        return Principal(
            check_name("sub", claims["sub"]),
            NamespaceKey(_namespace("tenant", claims), _namespace("project", claims)),
            granted(names),
        )
    except InvalidInput as error:
        raise Unauthorized(f"the token has a bad claim: {error}") from None


def _namespace(claim: str, claims: Mapping[str, Any]) -> str:
    """Return a claim that names a wall: another form was another wall once, and opens none."""
    name: str = check_name(claim, claims[claim])
    if name != claims[claim]:
        raise InvalidInput(f"{claim} is not in its normal form; have a new token issued")
    return name
