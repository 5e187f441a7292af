"""The key ring: Ed25519 keys as files that only their owner can read.

directory (0700)
└── 20260131T120000000000.<kid>.pem (0600)    the newest one signs

The private half never leaves the directory; the public half is published in PostgreSQL, so that
every gateway replica verifies tokens without these files.
"""

import base64
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pinak_ray.records.errors import InvalidInput, SetupError
from pinak_ray.security.secret_files import check_secret_file

__all__ = ["ALGORITHM", "KeyRing", "PublicKey", "SigningKey", "jwks", "thumbprint"]

ALGORITHM = "EdDSA"

_TIME = "%Y%m%dT%H%M%S%f"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(raw: bytes) -> str:
    """Return the RFC 7638 thumbprint of a raw Ed25519 public key (32 bytes): its `kid`."""
    # The RFC fixes the bytes: required members only, in this order, without white space.
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{_base64url(raw)}"}}'
    return _base64url(hashlib.sha256(canonical.encode()).digest())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What verifies tokens; plain values, so that it can cross any border.

    `raw` is the 32-byte key. A retired key signs nothing new.
    """

    kid: str
    raw: bytes
    retired_at: datetime | None = None

    @classmethod
    def from_pem(cls, pem: str, *, retired_at: datetime | None = None) -> Self:
        """Return the key of a PEM text; raises InvalidInput when it holds no Ed25519 key."""
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidInput("the PEM text holds no Ed25519 public key")
        raw = key.public_bytes_raw()
        return cls(thumbprint(raw), raw, retired_at)

    @property
    def pem(self) -> str:
        """The key as PEM (SubjectPublicKeyInfo)."""
        return self.load().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def jwk(self) -> dict[str, str]:
        """The key as a JSON Web Key (RFC 8037)."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": _base64url(self.raw),
            "kid": self.kid,
            "use": "sig",
            "alg": ALGORITHM,
        }

    def load(self) -> Ed25519PublicKey:
        """Return the key as the object that verifies."""
        return Ed25519PublicKey.from_public_bytes(self.raw)


def jwks(keys: Iterable[PublicKey]) -> dict[str, Any]:
    """Return the keys as a JSON Web Key Set."""
    return {"keys": [key.jwk for key in keys]}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its id; it has no text form but its file."""

    private: Ed25519PrivateKey = field(repr=False)
    public: PublicKey
    created_at: datetime

    @classmethod
    def generate(cls, *, created_at: datetime | None = None) -> Self:
        """Return a new key that exists in memory only."""
        private = Ed25519PrivateKey.generate()
        return cls._of(private, datetime.now(UTC) if created_at is None else created_at)

    @classmethod
    def _of(cls, private: Ed25519PrivateKey, created_at: datetime) -> Self:
        raw = private.public_key().public_bytes_raw()
        return cls(private, PublicKey(thumbprint(raw), raw), created_at)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the key in a ring's file; raises SetupError that says what is wrong with it."""
        check_secret_file(path)
        try:
            moment, kid, _ = path.name.split(".")
            created_at = datetime.strptime(moment, _TIME).replace(tzinfo=UTC)
            private = load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SetupError(f"{path} is not a key file of a ring: {error}") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise SetupError(f"{path} holds no Ed25519 key")
        key = cls._of(private, created_at)
        if key.kid != kid:
            raise SetupError(f"{path} holds the key {key.kid}, not the one in its name")
        return key

    @property
    def kid(self) -> str:
        """The key's id: the thumbprint of its public half."""
        return self.public.kid

    @property
    def file_name(self) -> str:
        """The name of its file; names sort by age."""
        return f"{self.created_at.astimezone(UTC).strftime(_TIME)}.{self.kid}.pem"

    def write(self, directory: Path) -> None:
        """Write the key's file: whole or not at all, and never readable by others."""
        path = directory / self.file_name
        part = path.with_suffix(".part")
        text = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with open(part, "xb", opener=_private_opener) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        _sync(directory)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The signing keys of one stack, oldest first; a value, so that changing it returns another."""

    directory: Path
    keys: tuple[SigningKey, ...]

    @classmethod
    def load_or_create(cls, directory: Path) -> Self:
        """Read the ring, and make its directory and first key where there is none.

        Raises SetupError when others could read a key or put one into the directory.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(directory):
            ring = cls._read(directory)
            if ring.keys:
                return ring
            SigningKey.generate().write(directory)
            return cls._read(directory)

    @classmethod
    def _read(cls, directory: Path) -> Self:
        found = directory.stat()
        if found.st_uid not in (os.geteuid(), 0):
            raise SetupError(f"{directory} belongs to the user id {found.st_uid}, not to you")
        if stat.S_IMODE(found.st_mode) & _OTHERS_WRITE:
            raise SetupError(f"others can write to {directory}; run `chmod 700 {directory}`")
        return cls(directory, tuple(map(SigningKey.read, sorted(directory.glob("*.pem")))))

    @property
    def current(self) -> SigningKey:
        """The key that signs: the newest."""
        return self.keys[-1]

    @property
    def public_keys(self) -> tuple[PublicKey, ...]:
        """The public halves, oldest first, to be published."""
        return tuple(key.public for key in self.keys)

    def rotate(self) -> Self:
        """Make a new current key and return the ring with it.

        Publish the new key, then retire the earlier ones: tokens stay valid all the while.
        """
        with _locked(self.directory):
            ring = self._read(self.directory)
            # A clock that went back must not hide the new key behind an older one.
            after = [key.created_at + timedelta(microseconds=1) for key in ring.keys]
            created_at = max([datetime.now(UTC), *after])
            SigningKey.generate(created_at=created_at).write(self.directory)
            return self._read(self.directory)

    def discard(self, kid: str) -> Self:
        """Delete a private key that no longer signs; raises InvalidInput for any other."""
        with _locked(self.directory):
            ring = self._read(self.directory)
            old = [key for key in ring.keys[:-1] if key.kid == kid]
            if not old:
                raise InvalidInput(f"{kid!r} is not an earlier key of this ring")
            (self.directory / old[0].file_name).unlink()
            _sync(self.directory)
            return self._read(self.directory)


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the directory against other processes: two first starts make one key."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
