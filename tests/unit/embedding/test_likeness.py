"""What stands in for a vector that means nothing: the words and signs that two texts share."""

from collections.abc import Sequence

import numpy as np
import pytest

from pinak_ray.embedding import HashingEmbedder, Vectors, likeness, similarity
from pinak_ray.testing import LocalSwarm

STRANGERS = [
    ("备份失败", "检索数据"),
    ("🧨🧱", "🚀🔥"),
    ("แผนล้มเหลว", "ค้นหาข้อมูล"),
    ("የመረጃ", "ማስታወሻ"),
    ("バックアップ失敗", "検索する"),
    ("백업 실패", "데이터 검색"),
    ("बैकअप विफल", "डेटा खोजें"),
    ("миграция упала", "поиск данных"),
]


class English(HashingEmbedder):
    """Gives all texts one vector, as a model does whose tokenizer knows none of their words."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the same vector for each."""
        return np.tile(np.eye(1, 8, dtype=np.float32), (len(texts), 1))

    def knows(self, text: str) -> bool:
        """Know ASCII only."""
        return text.isascii()


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_what_shares_no_sign_is_not_alike(one: str, other: str) -> None:
    """In any script; and each text is like itself, however an emoji is drawn."""
    assert likeness(one, other) == 0.0
    assert likeness(one, one) == likeness(f"{one}!", f" {one}\ufe0f") == 1.0


def test_shared_words_are_alike_in_part() -> None:
    """By whole words, and by pairs of signs where a script parts no words."""
    assert likeness("deploy 订单 failed", "deploy 账单 failed") == pytest.approx(2 / 3)
    assert 0 < likeness("数据备份失败", "备份完成") < 0.5
    assert likeness("миграция упала", "миграция прошла") == pytest.approx(0.5)
    assert likeness("...", "!!!") == 0.0


def test_a_cosine_counts_where_both_texts_are_known() -> None:
    """One unknown text is enough for the cosine to say nothing."""
    assert similarity(0.9, "deploy", "roll out", str.isascii) == 0.9
    assert similarity(0.9, "deploy", "备份", str.isascii) == 0.0


@pytest.mark.parametrize(("failure", "intent"), STRANGERS)
async def test_the_twin_warns_of_nothing_else(failure: str, intent: str) -> None:
    """Neither a nudge, nor a link, nor a standing nudge; the same action is warned of."""
    swarm = LocalSwarm(embedder=English(8))
    ada, bob = swarm.agent("ada"), swarm.agent("bob")
    assert await bob.intend(intent) == ()
    stored = await ada.remember(failure, outcome="failure")
    await ada.remember(intent)
    assert await ada.intend(intent) == ()
    assert await ada.related(stored.id) == ()
    assert await bob.scratchpad.read(kinds=["nudge"]) == ()
    (nudge,) = await ada.intend(failure)
    assert nudge.evidence[0].content == failure


@pytest.mark.parametrize(("one", "other"), STRANGERS)
async def test_the_memory_that_is_the_question_comes_first(one: str, other: str) -> None:
    """Though all have one vector."""
    agent = LocalSwarm(embedder=English(8)).agent("ada")
    for text in (one, other, "lunch is at noon"):
        await agent.remember(text)
    for text in (one, other):
        assert (await agent.recall(text, k=1)).hits[0].content == text
