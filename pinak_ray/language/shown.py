"""Stored text as people and models read it: data that forges no line, no markup and no command.

Whatever shows what somebody stored (a hook's decision, a context, a nudge, a board as Markdown, the
command line) shows it by `shown`, the names of agents, sources, keys and tags too. JSON carries the
text itself.
"""

import re

__all__ = ["QUOTED", "quoted", "shown", "shown_in_markdown", "visible"]

QUOTED = 200
"""How many characters of its memory a nudge's message holds; the evidence holds it whole."""

# What `str.isprintable` takes for visible, though most fonts draw nothing: joiners, fillers, the
# Braille blank, and selectors that can carry a hidden text. Emoji need U+FE0E and U+FE0F.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0000-\U000e0fff]"
)
# A text of blanks alone is cut before it is flattened: it may have 64 KiB.
_FLATTENED_PER_SHOWN = 16
_MARKDOWN = str.maketrans({"\\": "\\\\", "[": "\\[", "<": "\\<"})
_BLOCK_START = re.compile(r"\A(?:\d{1,9}(?=[.)])|(?=[#\-+*>=~|`]))")


def shown(text: str, limit: int | None = None) -> str:
    r"""Return a text as one line of visible characters, at most `limit` of its own with the `…`.

    White space of any kind and length is one blank; what is not visible is named: `\x1b`, `\u202e`.
    """
    if limit is not None:
        cut = text[: limit * _FLATTENED_PER_SHOWN]
        line = " ".join(cut.split())
        if len(line) > limit or len(cut) < len(text):
            line = f"{line[: limit - 1]}…"
        return visible(line)
    return visible(" ".join(text.split()))


def quoted(text: str, limit: int | None = None) -> str:
    r"""Return a text as `shown`, in quotation marks that it cannot close: its own are `\"`."""
    line = shown(text, limit).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{line}"'


def shown_in_markdown(text: str, limit: int | None = None) -> str:
    """Return a text as `shown` that is no heading, item, link, image or tag of a Markdown page."""
    return _BLOCK_START.sub(r"\g<0>\\", shown(text, limit).translate(_MARKDOWN))


def visible(text: str) -> str:
    r"""Return a text with each character that is not visible by its name, as `\x1b`."""
    if text.isprintable() and (text.isascii() or not _BLANK.search(text)):
        return text
    return "".join(
        char if char.isprintable() and not _BLANK.match(char) else _named(char) for char in text
    )


def _named(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
