"""Tokens, key ring, scopes."""

from pinak_ray.security.keys import KeyRing, PublicKey, SigningKey, jwks
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import Principal, issue_token, key_id, verify_token

__all__ = [
    "KeyRing",
    "Principal",
    "PublicKey",
    "Scope",
    "SigningKey",
    "issue_token",
    "jwks",
    "key_id",
    "verify_token",
]
