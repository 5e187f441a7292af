"""Names (of agents, boards, keys, sessions, tags ...): one normal form at every border.

What looks the same is the same, or refused: names are NFKC, as identifiers of Python are, and hold
nothing that cannot be seen.
"""

import re
from collections.abc import Iterable
from unicodedata import bidirectional, category, combining, name, normalize

from pinak_ray.records.errors import InvalidInput

__all__ = [
    "MAX_LABELS",
    "MAX_NAME_BYTES",
    "check_item_key",
    "check_labels",
    "check_name",
    "check_prefix",
    "repaired",
]

# Names lead every primary key; a btree entry must stay under 2,704 bytes.
MAX_NAME_BYTES = 256
MAX_LABELS = 64
# NFKC makes at most four characters one.
_MAX_CHARACTERS = 4 * MAX_NAME_BYTES

# They choose between pictures of the one character before them.
_VARIANTS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Letters, marks and signs by their category, which nobody sees: fillers, inherent vowels, the
# empty pattern of Braille. Python calls them printable.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800]")
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_VIRAMA = 9


def check_name(what: str, given: object) -> str:
    """Return the normal form of a name, or raise InvalidInput for what is none.

    A name is short, has no blanks at its ends and nothing in it that cannot be seen.
    """
    if not isinstance(given, str):
        raise InvalidInput(f"{what} must be a string, not {type(given).__name__}")
    plain = given.isascii() and given.isprintable() and len(given) <= MAX_NAME_BYTES
    # Nearly all names end here; "" is no greater than a blank.
    if plain and given[:1] > " " and given[-1] > " ":
        return given
    return _normal(what, given)


def check_item_key(key: object) -> str:
    """Return a key that callers may write; raises InvalidInput."""
    checked = check_name("key", key)
    if checked.startswith("$"):
        raise InvalidInput("keys that start with $ belong to pinak-ray; choose another")
    return checked


def check_prefix(what: str, prefix: object) -> str:
    """Return the beginning of a name, which may end with a blank; raises InvalidInput."""
    whole = f"{prefix}." if isinstance(prefix, str) and prefix else prefix
    return check_name(what, whole)[:-1]


def check_labels(what: str, labels: object) -> tuple[str, ...]:
    """Return the labels (tags, entities) without repeats, in the caller's order."""
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise InvalidInput(f"{what} must be a list of strings")
    unique = tuple(dict.fromkeys(check_name(f"an entry of {what}", label) for label in labels))
    if len(unique) > MAX_LABELS:
        raise InvalidInput(f"{what} has {len(unique)} entries, the limit is {MAX_LABELS}")
    return unique


def repaired(stored: str) -> str:
    """Return the normal form of a name from before there was one: what is refused is left out."""
    form, before = stored, ""
    while form != before:  # leaving one out may join its neighbours
        before, form = form, normalize("NFKC", _VARIANTS.sub("", form))
        form = "".join(form[at] for at in range(len(form)) if not _is_unseen(form, at)).strip()
        form = form.encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip()
    return form or "U+" + "-".join(f"{ord(character):04X}" for character in stored[:8])


def _normal(what: str, given: str) -> str:
    normal = given
    if len(given) <= _MAX_CHARACTERS:
        normal = normalize("NFKC", _VARIANTS.sub("", given))
    size = len(normal.encode(errors="surrogatepass"))
    if size > MAX_NAME_BYTES:
        raise InvalidInput(f"{what} has {size} bytes, the limit is {MAX_NAME_BYTES}; shorten it")
    if not normal or normal.isspace():
        raise InvalidInput(f"{what} is empty; give at least one visible character")
    for at, does in ((0, "begins"), (-1, "ends")):
        if given[at].isspace() or normal[at].isspace():
            raise InvalidInput(f"{what} {does} with {_called(given[at])}, a blank; leave it away")
    if not normal.isprintable() or _UNSEEN.search(normal):
        _refuse_unseen(what, normal)
    return normal


def _refuse_unseen(what: str, normal: str) -> None:
    for at, character in enumerate(normal):
        if _is_unseen(normal, at):
            raise InvalidInput(
                f"{what} holds {_called(character)} as its character {at + 1}, which cannot be "
                "seen; leave it away"
            )


def _is_unseen(normal: str, at: int) -> bool:
    if normal[at] in (_NON_JOINER, _JOINER):
        return not _joins(normal, at)
    return not normal[at].isprintable() or _UNSEEN.match(normal[at]) is not None


def _joins(normal: str, at: int) -> bool:
    """Tell whether a joiner stands where it shows: in Arabic and Indic words (RFC 5892 allows it
    there in host names too), or between the parts of an emoji."""
    before, after = normal[max(at - 1, 0) : at], normal[at + 1 : at + 2]
    if not before or not after:
        return False
    if normal[at] == _NON_JOINER and bidirectional(before) == bidirectional(after) == "AL":
        return True
    if normal[at] == _JOINER and category(before) in ("So", "Sk") and category(after) == "So":
        return True
    return combining(before) == _VIRAMA


def _called(character: str) -> str:
    """Return a character as its code point and its name."""
    said = name(character, "a character without a name")
    return f"U+{ord(character):04X} ({said})"
