"""While the embedder is away: what needs no vector answers, and says so where it does without."""

from collections.abc import Sequence

import pytest

from pinak_ray.concurrency.admission import Admission
from pinak_ray.embedding import HashingEmbedder, Vectors
from pinak_ray.nudges.nudger import Nudger
from pinak_ray.recall.cache.answers import CachePolicy
from pinak_ray.recall.cache.recaller import CachedRecaller
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.errors import EmbedderUnavailable, InvalidInput
from pinak_ray.records.memory.nudges import Strength, new_intent
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.records.operations import Intend
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.vectors.generations import Generations
from pinak_ray.testing import LocalSwarm
from tests.support.remembered import DIMENSION, EMBEDDER, index_all, register, remember

pytestmark = pytest.mark.postgres

NS = 7
AGENT = Owner(NS, Space.AGENT, "bob")


class Away(HashingEmbedder):
    """An embedder that can be made to fail, as an endpoint does."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.error: Exception | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed, or fail."""
        if self.error is not None:
            raise self.error
        return await super().embed(texts)


@pytest.fixture
def away() -> Away:
    """The embedder of the test."""
    return Away()


@pytest.fixture
async def model_id(database: Database) -> int:
    """A model, and memories that have its vectors."""
    model_id = await register(database)
    await remember(
        database, NS, "migration 42 locks the orders table", outcome="failure", layer="episodic"
    )
    await remember(database, NS, "the cafeteria has soup on Fridays", layer="semantic")
    await index_all(database, model_id)
    return model_id


ERRORS = [EmbedderUnavailable("HTTP 503 busy"), InvalidInput("the endpoint refused the text")]


@pytest.mark.parametrize("error", ERRORS, ids=["away", "refused"])
async def test_words_answer_and_say_that_they_are_alone(
    database: Database, model_id: int, away: Away, error: Exception
) -> None:
    """Each recipe that has words answers by them; one that has none fails with the cause."""
    recaller = Recaller(database, away, model_id)
    whole = await recaller.recall(NS, new_recall("orders locked", recipe="default"))
    away.error = error
    said = {
        recipe: await recaller.recall(NS, new_recall("orders", recipe=recipe))
        for recipe in ("default", "rrf", "linear", "combmnz", "borda", "lexical", "exact", "recent")
    }

    assert whole.degraded is None
    for recipe, result in said.items():
        assert "orders" in {word for hit in result.hits for word in hit.content.split()}, recipe
        compares = recipe not in ("lexical", "exact", "recent")
        assert (str(error) in (result.degraded or "")) is compares, recipe
    with pytest.raises(type(error), match=str(error)):
        await recaller.recall(NS, new_recall("orders", recipe="dense"))


async def test_an_answer_by_words_is_not_kept(
    database: Database, model_id: int, away: Away
) -> None:
    """The next equal query is answered whole, once the embedder is back."""
    cached = CachedRecaller(
        Recaller(database, away, model_id),
        Generations(database),
        CachePolicy(),
        Admission("test", 4),
    )
    away.error = ERRORS[0]
    first = await cached.recall(NS, new_recall("orders"))
    away.error = None
    second = await cached.recall(NS, new_recall("orders"))

    assert first.degraded is not None
    assert second.degraded is None
    assert second.hits


@pytest.mark.parametrize("error", ERRORS, ids=["away", "refused"])
async def test_words_warn_where_they_say_nearly_all(
    database: Database, model_id: int, away: Away, error: Exception
) -> None:
    """Weakly, and of what is named; a word in common with something else is no warning."""
    nudger = Nudger(database, away, model_id)
    away.error = error
    for _ in range(30):
        await remember(database, NS, "the weather was fine in the office today")
    await index_all(database, model_id)
    named = await nudger.nudge(
        Intend(AGENT, new_intent("deploy migration 42 to the orders table"), 1, True, None)
    )
    other = await nudger.nudge(
        Intend(AGENT, new_intent("deploy the table of contents"), 1, True, None)
    )

    assert [nudge.strength for nudge in named] == [Strength.LOW]
    assert "migration 42" in named[0].message
    assert other == ()


async def test_the_twin_answers_by_words_too() -> None:
    """A swarm in memory does as a stack does."""
    away = Away()
    agent = LocalSwarm(embedder=away).agent("ada")
    await agent.remember("migration 42 locks the orders table")
    away.error = ERRORS[0]
    await agent.remember("the orders table is locked again")
    by_words = await agent.recall("orders table")
    with pytest.raises(EmbedderUnavailable, match="HTTP 503"):
        await agent.recall("orders table", recipe="dense")
    away.error = None
    whole = await agent.recall("orders table")

    assert len(by_words.hits) == len(whole.hits) == 2
    assert "HTTP 503" in (by_words.degraded or "")
    assert whole.degraded is None
    assert EMBEDDER.model == away.model
