"""Stems and stop words, by language where a namespace names its languages, else by script."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

from pinak_ray.language.analysis.folding import plain

try:
    from Stemmer import Stemmer
except ImportError:  # a light client's, in plain Python: the same stems, thirty times slower
    from snowballstemmer import stemmer as Stemmer  # noqa: N812

__all__ = ["LANGUAGES", "Stemming"]


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802


class _Language(NamedTuple):
    script: str
    algorithm: str | None = None
    """Of Snowball; of a language without one the words stay as they are."""


_LATIN, _CYRILLIC, _ARABIC = "latin", "cyrillic", "arabic"
LANGUAGES = {
    "ar": _Language(_ARABIC, "arabic"),
    "bg": _Language(_CYRILLIC),
    "ca": _Language(_LATIN, "catalan"),
    "cs": _Language(_LATIN),
    "da": _Language(_LATIN, "danish"),
    "de": _Language(_LATIN, "german"),
    "el": _Language("greek", "greek"),
    "en": _Language(_LATIN, "english"),
    "es": _Language(_LATIN, "spanish"),
    "et": _Language(_LATIN, "estonian"),
    "eu": _Language(_LATIN, "basque"),
    "fa": _Language(_ARABIC),
    "fi": _Language(_LATIN, "finnish"),
    "fr": _Language(_LATIN, "french"),
    "ga": _Language(_LATIN, "irish"),
    "hi": _Language("devanagari", "hindi"),
    "hu": _Language(_LATIN, "hungarian"),
    "hy": _Language("armenian", "armenian"),
    "id": _Language(_LATIN, "indonesian"),
    "it": _Language(_LATIN, "italian"),
    "lt": _Language(_LATIN, "lithuanian"),
    "mr": _Language("devanagari"),
    "ne": _Language("devanagari", "nepali"),
    "nl": _Language(_LATIN, "dutch"),
    "no": _Language(_LATIN, "norwegian"),
    "pl": _Language(_LATIN),
    "pt": _Language(_LATIN, "portuguese"),
    "ro": _Language(_LATIN, "romanian"),
    "ru": _Language(_CYRILLIC, "russian"),
    "sr": _Language(_CYRILLIC),
    "sv": _Language(_LATIN, "swedish"),
    "ta": _Language("tamil", "tamil"),
    "tr": _Language(_LATIN, "turkish"),
    "uk": _Language(_CYRILLIC),
    "ur": _Language(_ARABIC),
    "vi": _Language(_LATIN),
}
"""By code of ISO 639-1: whose words have stems, or have none though their script's default has."""

# Who names no language has these: each script's most written one.
_DEFAULTS = ("en", "ru", "ar", "hi", "el", "hy", "ta")
_STARTS = (
    ("a", "\u0250", _LATIN),
    ("\u0370", "\u0400", "greek"),
    ("\u0400", "\u0530", _CYRILLIC),
    ("\u0531", "\u0590", "armenian"),
    ("\u0600", "\u0700", _ARABIC),
    ("\u0900", "\u0980", "devanagari"),
    ("\u0b80", "\u0c00", "tamil"),
    ("\u1e00", "\u1f00", _LATIN),
    ("\u1f00", "\u2000", "greek"),
)
_LISTS = Path(__file__).with_name("stop_words")


@dataclass(frozen=True, slots=True)
class Stemming:
    """Stems of the words of these languages, of which the first of a script stems its words."""

    languages: tuple[str, ...] = ()
    _by_script: dict[str, _Stemmer] = field(init=False, repr=False, compare=False)
    _is_english: bool = field(init=False, repr=False, compare=False)
    stop_words: frozenset[str] = field(init=False, repr=False, compare=False)
    """Of all these languages, folded and without marks."""

    def __post_init__(self) -> None:
        codes: dict[str, str] = {}
        for code in (*self.languages, *_DEFAULTS):
            if code in LANGUAGES:  # of another one nothing is known but its signs
                codes.setdefault(LANGUAGES[code].script, code)
        algorithms = {script: LANGUAGES[code].algorithm for script, code in codes.items()}
        stemmers = {script: Stemmer(name) for script, name in algorithms.items() if name}
        named = {LANGUAGES[code].algorithm for code in self.languages if code in LANGUAGES}
        words = frozenset[str]().union(
            *(_stop_words(name) for name in {*algorithms.values(), *named} if name)
        )
        object.__setattr__(self, "_by_script", stemmers)
        object.__setattr__(self, "_is_english", codes[_LATIN] == "en")
        object.__setattr__(self, "stop_words", words)

    def stem(self, word: str) -> str:
        """Return the stem of a lower-case word of letters, without the marks that are left out."""
        first = word[:1]
        script = _LATIN if word.isascii() else _script(first)
        stemmer = self._by_script.get(script)
        if stemmer is None:
            return plain(word) or word
        # English has none of them; the endings of other languages have.
        if self._is_english and script == _LATIN:
            word = plain(word)
        return plain(stemmer.stemWord(word)) or word


def _script(letter: str) -> str:
    return next((script for start, end, script in _STARTS if start <= letter < end), "")


@cache
def _stop_words(algorithm: str) -> frozenset[str]:
    path = _LISTS / f"{algorithm}.txt"
    words = path.read_text(encoding="utf-8").split() if path.exists() else ()
    return frozenset(plain(word) for word in words)
