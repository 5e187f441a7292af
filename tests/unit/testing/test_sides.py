"""Which side of a model each text is embedded on: what is asked, and what stands beside it."""

from collections.abc import Sequence

from pinak_ray.embedding import HashingEmbedder, Vectors
from pinak_ray.testing import LocalSwarm


class TwoSided(HashingEmbedder):
    """An embedder that is told questions from passages, and notes what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.stored: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed passages."""
        self.stored += texts
        return await super().embed(texts)

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions."""
        self.asked += texts
        return await super().embed(texts)


async def test_only_questions_are_questions() -> None:
    """A recall's and a grade's question are asked; memories, intents and answers are passages."""
    embedder = TwoSided()
    async with LocalSwarm(embedder=embedder) as swarm:
        ada = swarm.agent("ada")
        stored = await ada.remember("the ferry sank at the pier", outcome="failure")
        await ada.recall("what sank?")
        await ada.intend("moor the ferry at the pier")
        await ada.grade("which ship was it?", [stored.id], answer="the ferry")

    assert embedder.asked == ["what sank?", "which ship was it?"]
    said = {"the ferry sank at the pier", "moor the ferry at the pier", "the ferry"}
    assert said <= set(embedder.stored)
