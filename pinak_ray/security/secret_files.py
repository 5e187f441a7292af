"""Files that hold a secret: read only where nobody else could have read or written them."""

import os
import secrets
import stat
from pathlib import Path

from pinak_ray.records.errors import SetupError

__all__ = ["check_secret_file", "make_secret", "read_secret"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Less cannot be what we made: a file that a crash or a full disk cut short.
_LEAST_CHARACTERS = 32


def check_secret_file(path: Path) -> None:
    """Raise SetupError when others can read the file, or it is somebody else's."""
    found = path.stat()
    if stat.S_IMODE(found.st_mode) & _OTHERS:
        raise SetupError(f"{path} can be read by other users; run `chmod 600 {path}`")
    if found.st_uid not in (os.geteuid(), 0):
        raise SetupError(
            f"{path} belongs to the user id {found.st_uid}, not to you; run as that user, or "
            f"`chown` it if you know where it comes from"
        )


def read_secret(path: Path, *, otherwise: str) -> str:
    """Return the text in the file; raises SetupError that says what is wrong and what to do.

    `otherwise` is what mends a file that holds no whole secret. FileNotFoundError passes.
    """
    check_secret_file(path)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read ({error}); {otherwise}") from None
    if len(text) < _LEAST_CHARACTERS or not text.isprintable():
        state = "is empty" if not text else "is damaged"
        raise SetupError(f"{path} {state}; {otherwise}")
    return text


def make_secret(path: Path, text: str) -> None:
    """Write the file whole or not at all, for its owner alone; one that is there stays."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(new, path)
    except FileExistsError:
        return  # another start was faster
    finally:
        new.unlink()
