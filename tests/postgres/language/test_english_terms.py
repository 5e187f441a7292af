"""English prose has the terms that PostgreSQL made of it, so that rows of before are found."""

import re
from pathlib import Path

import asyncpg
import pytest

from pinak_ray.language.analysis import terms

pytestmark = pytest.mark.postgres

COUNTED = "SELECT lexeme, cardinality(positions) FROM unnest(to_tsvector('english', $1))"
TEXTS = [
    "The deployment of billing failed: migration 42 locked all of the orders tables, twice!",
    "don't restart o'clock 'quoted' rock'n'roll; it's the user's own, not ours",
    "Yesterday Caroline said that she had been painting sunsets with her daughters",
]


async def test_prose_has_the_same_terms(server_dsn: str) -> None:
    """Each one, as often."""
    connection = await asyncpg.connect(server_dsn, timeout=30)
    try:
        for text in TEXTS:
            counted = dict(await connection.fetch(COUNTED, text))
            assert sorted(terms(text)) == sorted(t for t, n in counted.items() for _ in range(n))
    finally:
        await connection.close()


async def test_our_own_pages_have_the_same_words(server_dsn: str) -> None:
    """Of all words of this repository's pages, at most two in a thousand are stemmed otherwise."""
    root = Path(__file__).parents[3]
    pages = [path.read_text(encoding="utf-8") for path in sorted((root / "docs").rglob("*.md"))]
    words = sorted(set(re.findall(r"[a-z]+", " ".join(pages).lower())))
    connection = await asyncpg.connect(server_dsn, timeout=30)
    try:
        stems = await connection.fetch(
            "SELECT tsvector_to_array(to_tsvector('english', word)) AS stem"
            " FROM unnest($1::text[]) WITH ORDINALITY AS w (word, place) ORDER BY place",
            words,
        )
    finally:
        await connection.close()
    made = [terms(f"{word} cat")[:-1] for word in words]  # beside a word a stop word is none
    wrong = [w for w, had, row in zip(words, made, stems, strict=True) if row["stem"] != had]

    assert len(words) > 1000
    assert len(wrong) <= len(words) / 500, wrong
