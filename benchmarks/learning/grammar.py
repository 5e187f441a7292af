"""Texts from templates: `{one|other}` is a choice, `<slot>` a word of the vocabulary."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

__all__ = ["Speech", "template_file"]

_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"<([A-Za-z ]+)>")
_TEXTS = Path(__file__).with_name("texts")


def template_file(name: str) -> dict[str, Any]:
    """Return one of the files in `texts/`."""
    return tomllib.loads((_TEXTS / f"{name}.toml").read_text(encoding="utf-8"))


class Speech:
    """Fills templates, by one seed; remembers each slot's word for `<same slot>`."""

    def __init__(self, rng: Random, vocabulary: Mapping[str, str]) -> None:
        self.rng = rng
        self._words = {
            name: text.split(";") if ";" in text or "{" in text else text.split()
            for name, text in vocabulary.items()
        }
        self.same: dict[str, str] = {}

    def word(self, slot: str) -> str:
        """Return a random word of a slot."""
        return self.rng.choice(self._words[slot])

    def words(self, slot: str, count: int) -> list[str]:
        """Return different words of a slot."""
        return self.rng.sample(self._words[slot], count)

    def say(self, template: str, **given: str) -> str:
        """Return the template filled; `given` are whole words (X, Y) to replace."""
        text = template
        while "{" in text or "<" in text:  # words may be templates themselves
            while "{" in text:
                text = _CHOICE.sub(lambda found: self.rng.choice(found[1].split("|")), text)
            text = _SLOT.sub(self._fill, text)
        for word, replacement in given.items():
            text = re.sub(rf"\b{word}\b", replacement, text)
        return text

    def _fill(self, found: re.Match[str]) -> str:
        slot = found[1]
        if slot.startswith("same "):
            name = slot.removeprefix("same ")
            word = self.same.get(name) or self.word(name)
            return f"X's {word}" if name == "relative" else word
        word = self.same[slot.lower()] = self.word(slot.lower())
        if slot.lower() == "relative":
            word = f"my {word}"
        return word[:1].upper() + word[1:] if slot[0].isupper() else word
