"""The text that PostgreSQL is asked to find the words of."""

import re

__all__ = ["searchable_words"]

# PostgreSQL's parser reads a run of letters, digits and underscores to its end from each of its
# words: 8 KiB of "a_a_a" took 3 s. An underscore parts words there anyway, as a blank does.
_RUN = re.compile(r"\w{64,}")


def searchable_words(text: str) -> str:
    """Return a query's text with the same words, none of them in a long run."""
    return _RUN.sub(lambda run: run[0].replace("_", " "), text) if "_" in text else text
