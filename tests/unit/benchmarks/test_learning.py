"""Training: talk of our own by a seed, candidates as the twin finds them, weights that fit."""

import asyncio
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from benchmarks.datasets import Corpus
from benchmarks.learning.assistants import chats
from benchmarks.learning.fitting import Question, fit
from benchmarks.learning.offline import Searchable
from benchmarks.learning.people import conversations
from benchmarks.learning.runs import runs
from benchmarks.learning.vectors import KeptVectors
from pinak_ray.embedding import HashingEmbedder
from pinak_ray.recall.learned.features import FEATURES
from pinak_ray.testing import LocalSwarm

KINDS = (conversations, chats, runs)


def corpora(seed: int) -> list[Corpus]:
    """Return two corpora of each kind."""
    return list(chain.from_iterable(kind(seed, 2) for kind in KINDS))


def test_a_seed_makes_the_same_talk() -> None:
    """So that the weights can be trained again."""
    assert corpora(3) == corpora(3)
    assert corpora(3) != corpora(4)


def test_every_template_is_filled() -> None:
    """No slot, choice or stand-in is left in what is said and asked."""
    for corpus in corpora(5):
        texts = [each.content for each in corpus.entries] + [each.text for each in corpus.queries]
        for text in texts:
            said = text.split("```")[0]
            assert not set("{}<|") & set(said.replace("||", "")), said
            assert not {"TOPIC", "TERM", "FACT", "AREA", "SERVICE", "PERSON"} & set(said.split())


def test_every_question_has_its_answer() -> None:
    """Each names entries of its corpus."""
    for corpus in corpora(6):
        keys = [entry.key for entry in corpus.entries]
        assert len(keys) == len(set(keys))
        assert corpus.queries
        assert all(query.relevant and query.relevant <= set(keys) for query in corpus.queries)


@pytest.mark.parametrize("kind", KINDS)
async def test_candidates_are_those_of_the_twin(kind: type, tmp_path: Path) -> None:
    """The same memories with the same signals, so that what is learned here holds there."""
    (corpus,) = kind(8, 1)
    entries = {entry.content: entry for entry in corpus.entries[:40]}  # by content they are told
    corpus = Corpus("c", "t", tuple(entries.values()), corpus.queries[:4])
    embedder = HashingEmbedder(dimension=64)
    swarm = LocalSwarm(embedder=embedder)
    for entry in corpus.entries:
        await swarm.agent(entry.agent).remember(
            entry.content, session=entry.session, occurred_at=entry.occurred_at
        )
    vectors = await _kept(embedder, corpus, tmp_path)
    searchable = Searchable(corpus, vectors)
    for number, query in enumerate(corpus.queries):
        places, found = searchable.candidates(number)
        theirs = await swarm.agent("r").recall(
            query.text, k=200, trace=True, recipe="fused", every_copy=True
        )
        ours = {
            corpus.entries[at].content: {
                name: scores[number] for name, scores in found.signals.items()
            }
            for number, at in enumerate(places)
        }
        assert {hit.content for hit in theirs.hits} <= ours.keys()
        for hit in theirs.hits:
            for signal in hit.signals:
                if signal.name in found.signals and signal.score is not None:
                    mine = ours[hit.content][signal.name]
                    assert mine == pytest.approx(signal.score, abs=2e-3)


async def _kept(embedder: HashingEmbedder, corpus: Corpus, folder: Path) -> KeptVectors:
    kept = KeptVectors(embedder, folder)
    # It embeds in a loop of its own, in another thread.
    await asyncio.to_thread(Searchable, corpus, kept)
    return KeptVectors(embedder, folder)


def test_vectors_are_computed_once(tmp_path: Path) -> None:
    """What is kept comes back, also after the process has ended."""
    embedder = HashingEmbedder(dimension=16)
    first = KeptVectors(embedder, tmp_path).of(["one", "two", "one"])
    size = (tmp_path / "vectors.f16").stat().st_size
    again = KeptVectors(embedder, tmp_path).of(["two", " one "])
    assert size == (tmp_path / "vectors.f16").stat().st_size == 2 * 2 * 16
    assert again.tolist() == [first[1].tolist(), first[0].tolist()]


def test_fitting_finds_what_tells_answers(tmp_path: Path) -> None:
    """A feature that answers have gains weight, one that others have loses it, evidence never."""
    random = np.random.default_rng(1)
    questions = []
    for number in range(60):
        features = random.normal(size=(20, len(FEATURES)))
        features[0, FEATURES.index("number")] += 2
        features[0, FEATURES.index("name")] -= 2
        features[0, FEATURES.index("lexical_share")] -= 2
        answers = np.arange(20) == 0
        questions.append(Question(f"q{number}", features, answers))
    weights = fit(questions, pull=0.01)
    assert weights["number"] > 0.3
    assert weights["name"] < -0.3
    assert weights["lexical_share"] == 0.0
    assert fit(questions, pull=0.01) == weights


def test_what_the_data_do_not_say_stays_as_made_by_hand() -> None:
    """Questions that tell nothing leave the recipe `fused` as it is."""
    features = np.zeros((4, len(FEATURES)))
    weights = fit([Question("q", features, np.arange(4) == 0)], pull=0.2)
    assert weights["agent"] == pytest.approx(4 * weights["dense"])
    assert weights["question"] == pytest.approx(-2 * weights["dense"])
    assert weights["number"] == pytest.approx(0.0)
