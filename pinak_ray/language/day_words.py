"""Words for today and the days beside it, in other languages than English.

Only what means nothing else: Hindi "kal" is yesterday and tomorrow, German "morgen" also morning.
"""

import re

__all__ = ["days_back"]

_BY_DAYS = {
    2: "vorgestern anteayer antier anteontem avant-hier eergisteren позавчера przedwczoraj förrgår "
    "evvelsi 前天 一昨日 おととい 그저께 그제 เมื่อวานซืน",
    1: "gestern ayer ontem ieri gisteren вчера wczoraj igår dün أمس البارحة 昨天 昨日 きのう 어제 "
    "เมื่อวาน",
    0: "heute hoy hoje oggi aujourd'hui vandaag сегодня dzisiaj dziś idag bugün اليوم आज 今天 今日 "
    "きょう 오늘 วันนี้",
}
_BY_WORD = {word: days for days, words in _BY_DAYS.items() for word in words.split()}
_TOKEN = re.compile(r"\w+(?:['-]\w+)*")
# Scripts that do not part words have no border of one; the longer word is tried first.
_UNPARTED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff]")
_INSIDE = re.compile("|".join(sorted(filter(_UNPARTED.match, _BY_WORD), key=len, reverse=True)))
# French for yesterday, German for here.
_FRENCH = {"qui", "que", "quoi", "quel", "quelle", "quels", "quelles", "pourquoi", "où", "comment"}


def days_back(query: str) -> list[int]:
    """Return how many days back each day lies that a query in lower case names by such a word."""
    words = _TOKEN.findall(query.replace("’", "'"))
    named = [word for word in words if word in _BY_WORD and not _UNPARTED.match(word)]
    if not query.isascii():
        named += _INSIDE.findall(query)
    is_french = "hier" in words and any(word in _FRENCH or word.startswith("qu'") for word in words)
    return [_BY_WORD[word] for word in named] + [1] * is_french
