"""What PostgreSQL's `english` configuration makes of a text: words, without stop words, stemmed."""

import re
from collections import Counter
from collections.abc import Iterator

import snowballstemmer

__all__ = ["lexemes", "words"]

# PostgreSQL's english.stop, which is Snowball's.
_STOP_WORDS = frozenset({
    "i", "me", "my", "myself", "we", "our", "ours", "ourselves", "you", "your", "yours", "yourself",
    "yourselves", "he", "him", "his", "himself", "she", "her", "hers", "herself", "it", "its",
    "itself", "they", "them", "their", "theirs", "themselves", "what", "which", "who", "whom",
    "this", "that", "these", "those", "am", "is", "are", "was", "were", "be", "been", "being",
    "have", "has", "had", "having", "do", "does", "did", "doing", "a", "an", "the", "and", "but",
    "if", "or", "because", "as", "until", "while", "of", "at", "by", "for", "with", "about",
    "against", "between", "into", "through", "during", "before", "after", "above", "below", "to",
    "from", "up", "down", "in", "out", "on", "off", "over", "under", "again", "further", "then",
    "once", "here", "there", "when", "where", "why", "how", "all", "any", "both", "each", "few",
    "more", "most", "other", "some", "such", "no", "nor", "not", "only", "own", "same", "so",
    "than", "too", "very", "s", "t", "can", "will", "just", "don", "should", "now",
})  # fmt: skip

# What PostgreSQL's default parser takes as one token, as far as prose, logs and commands have it;
# it knows rarer ones (URLs with their parts, entities), which are cut up here.
_TOKEN = re.compile(
    r"""
      <[a-z/!][^<>]*>                                              # a tag, which says nothing
    | https?://
    | (?P<whole> [\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}                   # an address
               | [^\W_][\w-]{0,64}(?:\.[\w-]{1,64}){0,8}(?:/[\w.-]{0,64}[^\W_]){1,64}  # docs/a.md
               | /[^\W_](?:[\w./-]{0,255}[^\W_])?                  # /etc/hosts
               | [-+]?\d+(?:(?:\.\d+)+|(?![^\W_]))                # a number, a version
               | [^\W_][\w-]{0,64}(?:\.[\w-]{1,64}){0,8}\._*[^\W_]+ )  # main.py, example.org
    | (?P<compound> [^\W\d_][^\W_]*(?:-\d*[^\W\d_][^\W_]*)+ )    # dry-run
    | (?P<word> [^\W_]+ )
    """,
    re.VERBOSE,
)
_stemmer = snowballstemmer.stemmer("english")


def lexemes(text: str) -> Counter[str]:
    """Return how often each lexeme occurs in the text."""
    return Counter(lexeme for lexeme in _lexemes(text) if lexeme)


def words(text: str) -> dict[str, str]:
    """Return the text's lexemes with the word that each stands for; of dry-run the parts."""
    found: dict[str, str] = {}
    for token in _TOKEN.finditer(text.lower()):
        match token.lastgroup:
            case "whole":
                found.setdefault(token["whole"], token["whole"])
            case "compound" | "word":
                for word in token[0].split("-"):
                    found.setdefault(_stem(word), word)
    found.pop("", None)
    return found


def _lexemes(text: str) -> Iterator[str]:
    for token in _TOKEN.finditer(text.lower()):
        match token.lastgroup:
            case "whole":
                yield token["whole"]
            case "compound":
                yield _stem(token["compound"])
                yield from map(_stem, token["compound"].split("-"))
            case "word":
                yield _stem(token["word"])


def _stem(word: str) -> str:
    """Return a word's stem, "" for a stop word; what holds a digit is left as it is."""
    if word in _STOP_WORDS:
        return ""
    if any(character.isdigit() for character in word):
        return word
    stem: str = _stemmer.stemWord(word)
    return stem
