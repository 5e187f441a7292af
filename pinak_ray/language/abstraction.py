"""A trajectory without its values: what stays the same when the next task has other ones."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

__all__ = ["Abstracted", "Abstraction", "abstracted", "alike"]

# Of what is worth a slot the longest form first: a number in a path is part of the path.
_VALUES = r"""
    (?P<url>\bhttps?://[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?])
    | (?P<text>"[^"\n]{1,200}"|`[^`\n]{1,200}`)
    | (?P<path>(?<![\w/.])~?(?:/[\w.@+-]+)+/?|(?<![\w/.@+-])(?:[\w.@+-]+/)+[\w@+-]+\.\w+)
    | (?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)
    | (?P<number>(?<![\w.-])-?\d+(?:[.,:]\d+)*(?:%|[a-zA-Z]{1,3})?(?![\w-]))
    | (?P<name>(?<![\w.-])[A-Za-z](?:[\w.-]*[\w-])?(?<=\d)(?:[\w.-]*\w)?
              | (?<![.!?:]\s)(?<!^)(?<=\s)[A-Z][a-z]\w*(?:[-.]\w+)*)
"""
# Word by word, of two plans: those of one kind differ in a word or two of a step.
_ALIKE = 0.9


class Abstracted(NamedTuple):
    """A problem and the steps that solved it, with slots like `{path_1}` in the place of values."""

    problem: str
    steps: tuple[str, ...]
    slots: Mapping[str, str]
    """By slot, the value that stood there."""


Abstraction = Callable[[str, Sequence[str], Collection[str]], Abstracted]
"""From a problem, its steps and the names that they speak of. A model could do it better."""


def abstracted(problem: str, steps: Sequence[str], names: Collection[str] = ()) -> Abstracted:
    """Put slots in the place of numbers, ids, paths, URLs, quoted texts and names.

    A value has one slot, wherever it stands; the same texts always give the same template. Names
    are those given, words with a digit in them, and words within a sentence with a capital.
    """
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name)
    given = rf"(?P<given>(?<!\w)(?:{known})(?!-?\w))|" if known else ""
    pattern = re.compile(given + _VALUES, re.VERBOSE)
    slots: dict[str, str] = {}
    by_value: dict[str, str] = {}
    counts: dict[str, int] = {}

    def slot(found: re.Match[str]) -> str:
        value, kind = found.group(), str(found.lastgroup).replace("given", "name")
        if value not in by_value:
            counts[kind] = counts.get(kind, 0) + 1
            by_value[value] = f"{kind}_{counts[kind]}"
            slots[by_value[value]] = value
        return f"{{{by_value[value]}}}"

    texts = [pattern.sub(slot, text) for text in (problem, *steps)]
    return Abstracted(texts[0], tuple(texts[1:]), slots)


def alike(one: Abstracted, other: Abstracted) -> bool:
    """Tell whether two templates are the same plan for the same problem, but for a word or two."""
    return _nearly_equal(one.problem, other.problem) and _nearly_equal(_plan(one), _plan(other))


def _nearly_equal(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, _words(one), _words(other), autojunk=False)
    # The quick one is an upper bound, and spares the comparison of what is quite different.
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _plan(template: Abstracted) -> str:
    return "\n".join(template.steps)


def _words(text: str) -> list[str]:
    return text.lower().split()
