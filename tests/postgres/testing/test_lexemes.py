"""The twin's words are PostgreSQL's words."""

import re
from pathlib import Path

import asyncpg
import pytest

from pinak_ray.testing.lexemes import lexemes

pytestmark = pytest.mark.postgres

COUNTED = "SELECT lexeme, cardinality(positions) FROM unnest(to_tsvector('english', $1))"
TEXTS = [
    "The deployment of billing failed: migration 42 locked all of the orders tables, twice!",
    "don't restart o'clock 'quoted' rock'n'roll; it's the user's own, not ours",
    "kubectl apply -f deploy/prod.yaml --dry-run=server && rm -rf /var/lib/orders",
    "foo_bar __init__ self._client main.py docs/testing.md a/b/c ./run e.g. U.S.A. 1/2",
    "re-deploy-now migration-42 a-1b x-5 -5 +7 3-4 utf-8 k8s HTTP2 x86_64 camelCase",
    "1.5 v1.2 1.2.3 10.0.0.1 3.14. 42. 1,000 $5 50% #42 @ada 12:30:15 2026-03-01",
    "http://example.org ada@example.org <b>bold</b> <a href='x'>y</a> key=value f(x) x->y C:\\x",
    "Ünïcode ÄÖ 日本語 naïve café 🦜 parrot",
]


async def test_prose_logs_and_commands_have_the_same_lexemes(server_dsn: str) -> None:
    """Each lexeme, as often."""
    connection = await asyncpg.connect(server_dsn, timeout=30)
    try:
        for text in TEXTS:
            assert dict(await connection.fetch(COUNTED, text)) == lexemes(text)
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
    wrong = [w for w, row in zip(words, stems, strict=True) if row["stem"] != list(lexemes(w))]

    assert len(words) > 1000
    assert len(wrong) <= len(words) / 500, wrong
