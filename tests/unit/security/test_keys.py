"""The key ring keeps private keys private, and survives restarts and rotations."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinak_ray.records.errors import InvalidInput, SetupError
from pinak_ray.security.keys import KeyRing, PublicKey, SigningKey, jwks, thumbprint


def mode(path: Path) -> int:
    """Return a path's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    """A ring in a new directory."""
    return KeyRing.load_or_create(tmp_path / "state" / "keys")


def test_thumbprint_is_that_of_the_rfc() -> None:
    """The key id is the RFC 7638 thumbprint (example of RFC 8037, appendix A.3)."""
    raw = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    assert thumbprint(raw) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_first_start_makes_one_private_key(ring: KeyRing) -> None:
    """The first start makes a key that only its owner can read."""
    assert len(ring.keys) == 1
    assert mode(ring.directory) == 0o700
    assert [mode(path) for path in ring.directory.iterdir()] == [0o600]


def test_a_restart_finds_the_same_key(ring: KeyRing) -> None:
    """A restart changes no key."""
    again = KeyRing.load_or_create(ring.directory)
    assert again.current.kid == ring.current.kid
    assert again.public_keys == ring.public_keys


def test_two_first_starts_make_one_key(tmp_path: Path) -> None:
    """Processes that start at once agree on one key."""
    with ThreadPoolExecutor(4) as threads:
        rings = list(threads.map(KeyRing.load_or_create, [tmp_path / "keys"] * 4))
    assert len({ring.current.kid for ring in rings}) == 1


def test_rotation_adds_a_key_that_signs(ring: KeyRing) -> None:
    """After a rotation the new key signs, and the earlier one is still published."""
    turned = ring.rotate().rotate()
    assert len(turned.keys) == 3
    assert turned.keys[0].kid == ring.current.kid
    assert KeyRing.load_or_create(ring.directory).current.kid == turned.current.kid


def test_discard_deletes_an_earlier_key_only(ring: KeyRing) -> None:
    """An earlier private key can be deleted, the signing one cannot."""
    turned = ring.rotate()
    assert turned.discard(ring.current.kid).public_keys == (turned.current.public,)
    with pytest.raises(InvalidInput):
        turned.discard(turned.current.kid)


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o644])
def test_a_readable_key_file_is_refused(ring: KeyRing, bits: int) -> None:
    """A key that others could have read is refused, with the command that helps."""
    path = next(ring.directory.iterdir())
    path.chmod(bits)
    with pytest.raises(SetupError, match="chmod 600"):
        KeyRing.load_or_create(ring.directory)


def test_a_directory_that_others_write_to_is_refused(ring: KeyRing) -> None:
    """Nobody else can put a key into the ring."""
    ring.directory.chmod(0o770)
    with pytest.raises(SetupError, match="chmod 700"):
        KeyRing.load_or_create(ring.directory)
    ring.directory.chmod(0o700)


def test_a_damaged_or_swapped_file_is_refused(ring: KeyRing) -> None:
    """A file that is not the key of its name stops the start instead of signing with it."""
    path = ring.directory / ring.current.file_name
    text = path.read_text()
    path.write_text("not a key")
    with pytest.raises(SetupError, match="not a key file"):
        KeyRing.load_or_create(ring.directory)
    path.write_text(text)
    other = ring.directory / SigningKey.generate().file_name
    path.rename(other)
    with pytest.raises(SetupError, match="not the one in its name"):
        KeyRing.load_or_create(ring.directory)


def test_a_public_key_survives_pem(ring: KeyRing) -> None:
    """What is published is what verifies."""
    public = ring.current.public
    assert PublicKey.from_pem(public.pem) == public


def test_other_keys_are_no_public_keys() -> None:
    """Only Ed25519 keys are taken."""
    other = X25519PrivateKey.generate().public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for text in (pem, "", "nonsense"):
        with pytest.raises(InvalidInput):
            PublicKey.from_pem(text)


def test_jwks_shows_public_halves_only(ring: KeyRing) -> None:
    """The key set holds what verifies, and nothing that signs."""
    (jwk,) = jwks(ring.public_keys)["keys"]
    assert jwk["kid"] == ring.current.kid
    assert set(jwk) == {"kty", "crv", "x", "kid", "use", "alg"}


def test_a_signing_key_does_not_print_itself() -> None:
    """A key in a log line or a trace shows no secret."""
    key = SigningKey.generate()
    assert isinstance(key.private, Ed25519PrivateKey)
    assert "private" not in repr(key)
