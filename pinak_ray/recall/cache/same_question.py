"""The same question: which texts may share an answer, though they are not equal.

The same words in the same order, in the same letters: then every number, identifier, name, date
and denial is the same too, in any script, and no list of what must not differ has to be complete.
What may differ asks nothing: politeness at either end, the mark that ends the question, spacing,
the form of apostrophes and quotation marks, and the capital of a first word that is no name.

Articles stay: "last week" is not "the last week", nor "few" "a few".
"""

import re
from unicodedata import normalize

__all__ = ["essence"]

_MARKS = str.maketrans("‘’“”？", "''\"\"?")
# Not "Will", "May" or "Mark", which are names, nor verbs that are: "Go" and "go" are two.
_OPENERS = frozenset({
    "What", "When", "Where", "Which", "Who", "Whom", "Whose", "Why", "How", "Is", "Are", "Was",
    "Were", "Do", "Does", "Did", "Has", "Have", "Had", "Can", "Could", "Should", "Would", "Please",
    "Tell", "Show", "The", "There",
})  # fmt: skip
_POLITE_START = re.compile(
    r"(?:(?:can|could|would) you (?:please )?|please,? )?(?:tell|show) me (?:please )?|please,? "
)
_POLITE_END = re.compile(r", ?(?:please|thanks|thank you)$")
# After a word only: "ls ?", "..", "a/.." and "5!" say something by their marks.
_END = re.compile(r"(?<=[\w)\]\"'])(?:\?|\.) ?$")


def essence(query: str) -> str:
    """Return what a query asks: two with the same essence are the same question."""
    words = normalize("NFC", query).translate(_MARKS).split()
    if words and words[0].rstrip(",") in _OPENERS:
        words[0] = words[0].lower()
    said = _END.sub("", " ".join(words))
    said = _POLITE_END.sub("", said)
    polite = _POLITE_START.match(said)
    return said[polite.end() :] if polite and polite.end() < len(said) else said
