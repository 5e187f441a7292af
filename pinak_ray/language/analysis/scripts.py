"""Which signs make words: letters with their marks, signs without blanks between words, Hangul."""

__all__ = ["HANGUL", "SIGNS", "WORD"]

# Each is the inside of a set of a regular expression.

SIGNS = (
    "\u3005-\u3007\u3040-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e00-\u0e3e\u0e40-\u0e4e\u0e80-\u0eff\u0f40-\u0fbc\u1000-\u1049\u1050-\u109d"
    "\u1780-\u17d3\u17d7\u17dc-\u17dd\u1980-\u19df\u1a20-\u1aad\ua9e0-\ua9fe\uaa60-\uaa7f"
)
"""Han, Kana, Bopomofo, Thai, Lao, Tibetan, Burmese, Khmer: nothing stands between words."""

HANGUL = "\u1100-\u11ff\ua960-\ua97c\uac00-\ud7fb"
"""Blanks stand between words, particles behind each without any."""

# What `\w` lacks: the marks of a letter are of its word. In whole blocks of Indian scripts, but for
# their full stops.
WORD = (
    r"\w\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    r"\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a"
    r"\u07a6-\u07b0\u07eb-\u07f3\u0816-\u082d\u0859-\u085b\u08ca-\u08e1\u08e3-\u0963\u0966-\u096f"
    r"\u0971-\u0df3\u135d-\u135f\u1885-\u18a9\u1920-\u193b\u1ab0-\u1aff\u1b00-\u1b4b\u1b80-\u1bf3"
    r"\u1c00-\u1c37\u1dc0-\u1dff\ua802-\ua827\ua880-\ua8c5\ua8e0-\ua8f1\ua926-\ua92d\ua947-\ua953"
    r"\ua980-\ua9c0\uaa29-\uaa36\uaaeb-\uaaef\uabe3-\uabea\ufb1e\ufe20-\ufe2f"
)
"""Letters, digits and the underscore, with all marks."""
