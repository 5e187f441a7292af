"""Words of any language, parts of identifiers, and literal parts are found by the database too."""

import re
import unicodedata

import pytest

from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.store.database import Database
from tests.support.remembered import EMBEDDER, index_all, register, remember

pytestmark = pytest.mark.postgres

NS = 6
SAID = {
    "在庫": "倉庫の在庫を確認した",
    "仓库": "昨天仓库的空调坏了",
    "회의": "내일 회의가 있다",
    "ประชุม": "พรุ่งนี้มีประชุมตอนเช้า",
    "बैठक": "कल बैठक रद्द हुई",
    "اجتماع": "تم إلغاء اجتماع اليوم",
    "совещание": "завтра совещание в девять",
    "Συνάντηση": "αύριο έχουμε συνάντηση",
    "Besprechung": "morgen ist eine Besprechung in Zürich",
    "réunion": "la réunion est annulée",
    "toplantı": "yarın toplantı var",
    "cuộc họp": "ngày mai có cuộc họp",
    "parseHeader": "parseHeaderLine raised EINVAL",
    "ERR-0420": "ERR-0420 while draining",
    "stripe.example.org": "see https://stripe.example.org/docs/v2?tab=api",
    "git push --force": "nobody may git push --force here",
    "🦜": "the 🦜 sings",
}
LINES = [
    "panic at 0x7ffd in /usr/lib/libcrypto.so.3 (pid=4021)",
    "docker run -p 8443:443 ghcr.io/acme/proxy:v1.20.4-alpine",
    "TypeError: Cannot read 'userName' of undefined at app.js:17:42",
    "le café coûte 3,50 € à São Paulo; Straße 12",
    "Ошибка: файл конфигурации не найден (код 17)",
    "配置文件 nginx.conf 第42行有错误",
]


async def asked(recaller: Recaller, query: str, recipe: str) -> list[str]:
    """Return what a question finds."""
    result = await recaller.recall(NS, new_recall(query, recipe=recipe))
    return [hit.content for hit in result.hits]


async def test_words_and_parts_are_found_in_any_form(database: Database) -> None:
    """By `lexical` and by `exact`, composed or not."""
    recaller = Recaller(database, EMBEDDER, await register(database))
    for number in range(30):
        await remember(database, NS, f"note {number} on lunch and the weather")
    for said in SAID.values():
        await remember(database, NS, said)
    await index_all(database, recaller.model_id)
    for query, said in SAID.items():
        for form in ("NFC", "NFD", "NFKC"):
            for recipe in ("lexical", "exact"):
                found = await asked(recaller, unicodedata.normalize(form, query), recipe)
                assert found[:1] == [said], (query, recipe)


async def test_exact_finds_each_run_of_words_of_each_line(database: Database) -> None:
    """In the case that it has or another one, in the line alone that holds it."""
    recaller = Recaller(database, EMBEDDER, await register(database))
    for line in LINES:
        await remember(database, NS, line)
    for line in LINES:
        words = [found.span() for found in re.finditer(r"\w+", line)]
        for first in range(0, len(words), 2):
            for last in range(first, min(first + 3, len(words))):
                query = line[words[first][0] : words[last][1]]
                for said in (query, query.swapcase()):
                    assert line in await asked(recaller, said, "exact"), said


async def test_a_word_more_takes_no_hit_away(database: Database) -> None:
    """Not where two common words never stand together, nor where a rare one narrows the search."""
    for number in range(10):
        await remember(database, NS, f"alpha {number}")
        await remember(database, NS, f"beta {number}")
    await remember(database, NS, "zebra")
    await index_all(database, await register(database))
    asked = "SELECT id FROM pinak.lexical_candidates($1, 8, null, most => 5, wanted => $2)"
    counts = {}
    async with database.reading(NS) as connection:
        for words in ("alpha", "alpha beta", "zebra", "zebra alpha", "alpha beta zebra unheard"):
            rows = await connection.fetch(asked, words.split(), 8)
            counts[words] = len({row["id"] for row in rows})
        narrow = await connection.fetch(asked, ["alpha", "beta"], 0)
    assert counts == {
        "alpha": 8, "alpha beta": 8, "zebra": 1, "zebra alpha": 8, "alpha beta zebra unheard": 8,
    }  # fmt: skip
    assert narrow == []
