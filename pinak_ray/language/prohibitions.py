"""Prohibitions: "never deploy on Fridays", "do not restart X during Y", "no X without Y"."""

import re
from collections.abc import Iterator

from pinak_ray.language.words import stems

__all__ = ["broken"]

_NEVER = re.compile(
    r"^(?P<subject>.*?)\b(?:never|do not|don't|must not|mustn't|must never|should not|shouldn't|"
    r"should never|shall not|avoid)\s+(?P<deed>.+)$"
)
_NO = re.compile(r"^no\s+(?P<deed>.+)$")
_FORBIDDEN = re.compile(
    r"^(?P<deed>.*?\S)\s+(?:is|are)\s+(?:strictly\s+)?(?:forbidden|prohibited|not allowed|banned)\b"
    r"\s*(?P<when>.*)$"
)
_REASON = re.compile(r",|\(| - |\bbecause\b|\bsince\b|\bas it\b|\bso that\b|\bor it\b|:")
_CONDITION = re.compile(
    r"\b(on|during|in|at|while|when|before|after|from|to|without|outside|between|against|"
    r"unless|until|except|if)\b"
)
# What these excuse cannot be told from an intent.
_EXCUSES = frozenset({"unless", "until", "except", "if", "outside", "between"})
_ANYONE = frozenset({"agent", "anyon", "engin", "everyon", "nobodi", "no", "peopl", "one", "team"})
_LEFT_OUT = re.compile(
    r"\b(?:without|no|skip\w*|bypass\w*|disabl\w*|ignor\w*|omit\w*)[\s-]+(?:\w+[\s-]+){0,3}?"
)
_DENIED = re.compile(
    r"\b(?:not|never|don't|doesn't|won't|avoid\w*|instead|rather|stop|prevent\w*|unless|except|"
    r"refuse\w*|block\w*|forbid\w*|cancel\w*|postpone\w*)\b"
)
# "Remove the secrets that were committed" commits none.
_ASIDE = re.compile(r"\b(?:that|which|who)\s+(?:was|were|is|are|has|have|had)\b[^.,;]*")
_OTHER_TIME = re.compile(r"\b(?:before|after|outside|until|except)\s+((?:[\w-]+\s*){1,4})")
_MIN_WORDS = 2


def broken(fact: str, intent: str) -> str:
    """Return what the fact's sentence forbids and the intent does; "" if it forbids nothing of it.

    Both in lower case. Every content word of what is forbidden, its conditions among them, must be
    in the intent, which must deny nothing itself.
    """
    if _DENIED.search(intent):
        return ""
    intent = _ASIDE.sub("", intent)
    said = stems(intent)
    for subject, deed in _forbidden(fact):
        if _does(subject, deed, intent, said):
            return deed.strip()
    return ""


def _forbidden(fact: str) -> Iterator[tuple[str, str]]:
    """Yield the subject and the deed of what the sentence forbids."""
    if found := _NEVER.match(fact):
        deed = found["deed"].removeprefix("be ")
        yield found["subject"], _REASON.split(deed, maxsplit=1)[0]
    elif found := _NO.match(fact):
        yield "", _REASON.split(found["deed"], maxsplit=1)[0]
    elif found := _FORBIDDEN.match(fact):
        yield "", f"{found['deed']} {_REASON.split(found['when'], maxsplit=1)[0]}"


def _does(subject: str, deed: str, intent: str, said: frozenset[str]) -> bool:
    core, *rest = _CONDITION.split(deed)
    conditions = list(zip(rest[::2], rest[1::2], strict=True))
    wanted = stems(subject) - _ANYONE | stems(core)
    if not stems(core) or any(word in _EXCUSES for word, _ in conditions):
        return False
    for word, condition in conditions:
        if not _holds(word, condition, intent, said):
            return False
        wanted |= stems(condition)
    return wanted <= said and len(wanted) >= _MIN_WORDS


def _holds(word: str, condition: str, intent: str, said: frozenset[str]) -> bool:
    wanted = stems(condition)
    if not wanted:
        return False
    if word == "without":
        ends = (found.end() for found in _LEFT_OUT.finditer(intent))
        return any(wanted & stems(intent[end : end + 40]) for end in ends)
    if word in ("before", "after"):
        return bool(re.search(rf"\b{word}\b", intent)) and wanted <= said
    if any(wanted & stems(found[1]) for found in _OTHER_TIME.finditer(intent)):
        return False
    return wanted <= said
